// The sprites that competitors are drawn with, recreated when colours or sizes change.
(function () {
  'use strict';

  const { dotColours } = window.Racecast;

  // Sizes up to this many competitors: the radius of a dot, the halo that separates it from the course, and
  // the rim that separates it from its neighbours. Larger fields are a crowd: single-coloured dots, drawn
  // pixel by pixel.
  const SIZES = [
    { most: 300, radius: 6, halo: 1.5, rim: 1 },
    { most: 1500, radius: 5, halo: 1, rim: 0.75 },
    { most: 5000, radius: 4 },
    { most: Infinity, radius: 3 },
  ];
  const CATEGORY_COLOURS = 7; // distinguishable colours; all further categories share one

  class Dots {
    // element: its style has the colours.
    constructor(element) {
      this._element = element;
    }

    // Sprites for this many competitors, coloured by `statuses` (names) or, if given, by `categories`
    // (names).
    prepare(count, statuses, categories) {
      const style = getComputedStyle(this._element);
      const colour = (name) => style.getPropertyValue(`--${name}`);
      const size = SIZES.find(({ most }) => count <= most);
      const names = categories ? categories.map((_, nth) => categoryColour(nth)) : statuses;
      const isCrowd = size.halo === undefined;
      this.radius = size.radius;
      this.colours = isCrowd ? names.map((name) => dotColours(colour(name), colour('halo'))) : null;
      if (!isCrowd) this._makeSprites(names.map(colour), size, colour);
      this.ink = colour('text-color') || '#222';
      this.paper = colour('halo');
      this.accent = colour('accent');
    }

    _makeSprites(colours, { radius, halo, rim }, colour) {
      this.width = 2 * (radius + halo);
      this.halo = disc(this.width, [[radius + halo, colour('halo')]]);
      this.sprites = colours.map((own) =>
        disc(this.width, [
          [radius, own],
          [radius, colour('rim')],
          [radius - rim, own],
        ]),
      );
    }
  }

  // The colour name of the category with this index, 0 being the most frequent.
  function categoryColour(number) {
    return number < CATEGORY_COLOURS ? `category-${number}` : 'category-rest';
  }

  // A sprite of discs about one centre, [radius, colour] from the bottom up.
  function disc(width, discs) {
    const ratio = window.devicePixelRatio || 1;
    const image = document.createElement('canvas');
    image.width = image.height = Math.ceil(width * ratio);
    const context = image.getContext('2d');
    context.scale(image.width / width, image.width / width);
    for (const [radius, colour] of discs) {
      context.beginPath();
      context.arc(width / 2, width / 2, radius, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
    }
    return image;
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Dots, categoryColour });
})();
