// The live layer: every competitor as a dot on one canvas.
//
// The canvas is made once. A frame is drawn only while somebody glides or the map moves; panning and zooming
// never wait for a picture, and a picture never touches the view.
(function () {
  'use strict';

  const { CourseLine, NoCourse, Field, LiveFeed, world } = window.Racecast;

  const TILE_PX = 256; // the world's width at zoom 0, as Leaflet has it
  // Up to so many competitors: the radius of a dot, the halo that keeps it apart from the course, and the rim
  // that keeps it apart from its neighbours.
  const SIZES = [
    { most: 300, radius: 6, halo: 1.5, rim: 1 },
    { most: 1500, radius: 5, halo: 1, rim: 0.75 },
    { most: 5000, radius: 4, halo: 0, rim: 0 },
    { most: Infinity, radius: 3, halo: 0, rim: 0 },
  ];

  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  const RaceLayer = L.Layer.extend({
    initialize(options) {
      L.setOptions(this, options);
      const { line, distance } = options;
      this.course = line.length > 1 ? new CourseLine(line, distance) : new NoCourse();
      this._field = new Field(this.course);
      this._spot = { x: 0, y: 0, distance: 0 };
      this._frame = null;
      this._zooming = false;
    },

    onAdd(map) {
      this._canvas = L.DomUtil.create('canvas', 'leaflet-zoom-animated', this.getPane('field'));
      this._context = this._canvas.getContext('2d');
      this._status = new window.Racecast.StatusControl().addTo(map);
      this._feed = new LiveFeed(this.options.feed, {
        onPositions: (picture) => this._update(picture),
        onSilence: (sentence) => this._status.trouble(sentence),
        onAnswer: () => this._status.fine(),
      });
      this._redraw();
    },

    onRemove() {
      this._feed.stop();
      this._status.remove();
      cancelAnimationFrame(this._frame);
      this._canvas.remove();
    },

    getEvents() {
      return {
        move: this._redraw,
        resize: this._redraw,
        viewreset: this._endZoom,
        zoomend: this._endZoom,
        moveend: this._endZoom,
        zoomanim: this._animateZoom,
      };
    },

    // What the page wishes; refresh is milliseconds or null. Called again with every change of the wishes.
    control({ refresh }) {
      this._feed.setEvery(refresh);
    },

    // Where the dots are at this moment: a canvas has no elements that could be asked.
    positions() {
      const part = this._field.part(performance.now());
      return this._field.competitors.map((one) => {
        const { x, y, distance } = this._field.place(one, part, this._spot);
        return {
          competitor: one.bib,
          lon: world.longitude(x),
          lat: world.latitude(y),
          distance,
          status: this._field.statuses[one.status],
        };
      });
    },

    isGliding() {
      return this._field.isGliding(performance.now()) || this._frame !== null;
    },

    // How many pictures have come.
    pictures() {
      return this._field.pictures;
    },

    _update(picture) {
      if (this.pictures() === 0 && this.options.line.length === 0) this._lookAt(picture);
      this._field.update(picture, performance.now(), !calm.matches);
      this._dots = this._makeDots(picture.statuses);
      this._redraw();
    },

    _lookAt({ lat, lon }) {
      if (lat.length > 0) this._map.fitBounds(lat.map((_, i) => [lat[i], lon[i]]));
    },

    _redraw() {
      if (this._frame === null) this._frame = requestAnimationFrame(() => this._draw());
    },

    _draw() {
      this._frame = null;
      const now = performance.now();
      if (!this._zooming) {
        this._cover();
        this._drawDots(this._field.part(now));
      }
      if (this._field.isGliding(now)) this._redraw();
    },

    // Lays the canvas over what is seen of the map, whichever way the map was moved.
    _cover() {
      const size = this._map.getSize();
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = [Math.round(size.x * ratio), Math.round(size.y * ratio)];
      if (this._canvas.width !== width || this._canvas.height !== height) {
        Object.assign(this._canvas, { width, height });
        this._canvas.style.width = `${size.x}px`;
        this._canvas.style.height = `${size.y}px`;
      }
      L.DomUtil.setPosition(this._canvas, this._map.containerPointToLayerPoint([0, 0]));
      this._view = { center: this._map.getCenter(), zoom: this._map.getZoom() };
      this._context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this._context.clearRect(0, 0, size.x, size.y);
    },

    _drawDots(part) {
      if (!this._dots) return;
      const scale = TILE_PX * 2 ** this._map.getZoom();
      const corner = this._map.getPixelBounds().min;
      const size = this._map.getSize();
      const { width } = this._dots;
      const half = width / 2;
      // All halos below all dots: among each other's, those in a pack would hide one another.
      for (const pictures of this._dots.layers) {
        for (const one of this._field.competitors) {
          const { x, y } = this._field.place(one, part, this._spot);
          const left = x * scale - corner.x - half;
          const top = y * scale - corner.y - half;
          if (left > -width && top > -width && left < size.x && top < size.y) {
            this._context.drawImage(pictures[one.status], left, top, width, width);
          }
        }
      }
    },

    // Small pictures by status, in layers from below, drawn anew with each update: the theme may have changed.
    _makeDots(statuses) {
      const style = getComputedStyle(this._canvas);
      const colour = (name) => style.getPropertyValue(`--${name}`);
      const count = this._field.competitors.length;
      const { radius, halo, rim } = SIZES.find(({ most }) => count <= most);
      const width = 2 * (radius + halo);
      const around = makePicture(width, [[radius + halo, colour('halo')]]);
      const halos = halo > 0 ? [statuses.map(() => around)] : [];
      const dots = statuses.map((name) =>
        makePicture(width, [
          [radius, colour(name)],
          [radius, rim > 0 ? colour('rim') : 'transparent'],
          [radius - rim, colour(name)],
        ]),
      );
      return { width, layers: [...halos, dots] };
    },

    // The map scales smoothly to a new zoom: the canvas goes with it, as a picture.
    _animateZoom({ center, zoom }) {
      if (!this._view) return;
      this._zooming = true;
      const map = this._map;
      const scale = map.getZoomScale(zoom, this._view.zoom);
      const half = map.getSize().divideBy(2);
      const panned = L.DomUtil.getPosition(map.getPane('mapPane'));
      const origin = map.project(center, zoom).subtract(half).add(panned).round();
      const corner = map.project(this._view.center, zoom).subtract(half.multiplyBy(scale));
      L.DomUtil.setTransform(this._canvas, corner.subtract(origin), scale);
    },

    _endZoom() {
      this._zooming = false;
      this._redraw();
    },
  });

  // A picture of discs about one centre, [radius, colour] from below.
  function makePicture(width, discs) {
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

  window.Racecast.RaceLayer = RaceLayer;
})();
