// Flags for the leaders and names for the favourites, drawn above dots and labels in every frame.
(function () {
  'use strict';

  const { placement } = window.Racecast;

  const FONT = '600 11px sans-serif';
  const FLAG = { width: 17, height: 16, corner: 3, poles: [6, 26] };
  const NAME = { height: 15, gap: 4, most: 160 }; // pixels; longer names end with an ellipsis
  const MARGIN_PX = 2;

  class Annotations {
    constructor() {
      this._before = new Map(); // the last choice of a place, by label
      this._names = new Map(); // by name: its shortened form and its width
    }

    // leaders: [{ place, x, y }]; favourites: [{ bib, name, x, y }]; dots: sizes and colours; taken: boxes of
    // labels that names don't cover, nor flags where there is room beside them.
    draw(context, { leaders, favourites, dots, taken }) {
      context.font = FONT;
      const flags = this._place(
        leaders.map((one) => ({ key: `flag ${one.place}`, boxes: flagBoxes(one, dots.radius) })),
        // Nor do they cover the runners that they show.
        [...taken, ...leaders.map(({ x, y }) => placement.box(x, y, dots.radius, dots.radius))],
      );
      const names = favourites.map((one) => ({ ...one, ...this._shortened(context, one.name) }));
      const boxes = this._place(
        names.map((one) => ({
          key: `name ${one.bib}`,
          boxes: placement.around(one, one.width + 2 * MARGIN_PX, NAME.height, dots.radius + NAME.gap),
        })),
        [...taken, ...flags.filter((one) => one !== null)],
      );
      names.forEach(({ text }, nth) => boxes[nth] && drawName(context, text, boxes[nth], dots));
      // The first on top.
      for (let nth = leaders.length - 1; nth >= 0; nth--) {
        drawFlag(context, leaders[nth], flags[nth] || flagBoxes(leaders[nth], dots.radius)[0], dots);
      }
    }

    _place(labels, taken) {
      const wanted = labels.map(({ key, boxes }) => ({ boxes, before: this._before.get(key) ?? null }));
      return placement.place(wanted, taken).map((chosen, nth) => {
        this._before.set(labels[nth].key, chosen);
        return chosen === null ? null : labels[nth].boxes[chosen];
      });
    }

    _shortened(context, name) {
      let known = this._names.get(name);
      if (!known) {
        const letters = [...name];
        let text = name;
        while (context.measureText(text).width > NAME.most) {
          letters.pop();
          text = `${letters.join('').trimEnd()}…`;
        }
        known = { text, width: context.measureText(text).width };
        this._names.set(name, known);
      }
      return known;
    }
  }

  // Above the runner if possible, as a flag is held; where there is no room, on a longer pole.
  function flagBoxes(at, radius) {
    return FLAG.poles.flatMap((pole) => {
      const around = placement.around(at, FLAG.width + MARGIN_PX, FLAG.height + MARGIN_PX, radius + pole);
      return [2, 4, 5, 0, 1, 3, 6, 7].map((way) => around[way]);
    });
  }

  // With the runner, whom a label may cover.
  function drawFlag(context, { place, x, y }, { left, top, right, bottom }, dots) {
    const middle = { x: (left + right) / 2, y: (top + bottom) / 2 };
    for (const [radius, colour] of [[dots.radius, dots.paper], [dots.radius - 1.5, dots.ink]]) {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
    }
    for (const [width, colour] of [[5, dots.paper], [2, dots.ink]]) {
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(middle.x, middle.y);
      Object.assign(context, { strokeStyle: colour, lineWidth: width, lineCap: 'round' });
      context.stroke();
    }
    for (const [grow, colour] of [[1.5, dots.paper], [0, dots.ink]]) {
      context.beginPath();
      context.roundRect(
        middle.x - FLAG.width / 2 - grow,
        middle.y - FLAG.height / 2 - grow,
        FLAG.width + 2 * grow,
        FLAG.height + 2 * grow,
        FLAG.corner + grow,
      );
      context.fillStyle = colour;
      context.fill();
    }
    write(context, String(place), middle, dots.paper);
  }

  // Legible on any background.
  function drawName(context, text, { left, top, right, bottom }, dots) {
    const middle = { x: (left + right) / 2, y: (top + bottom) / 2 };
    Object.assign(context, {
      strokeStyle: dots.paper,
      lineWidth: 4,
      lineJoin: 'round',
      textAlign: 'center',
      textBaseline: 'middle',
    });
    context.strokeText(text, middle.x, middle.y + 0.5);
    write(context, text, middle, dots.ink);
  }

  function write(context, text, { x, y }, colour) {
    Object.assign(context, { fillStyle: colour, textAlign: 'center', textBaseline: 'middle' });
    context.fillText(text, x, y + 0.5);
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Annotations });
})();
