// The competitors on their way from one picture of the race to the next.
//
// Between two pictures everybody glides along the course, not straight across its bends: the distance is
// interpolated, the course gives the place, and the offset of the measured place from the course (GPS error,
// the width of the road) is interpolated too. At both ends that is exactly the place that was measured.
// How much of the way is over is said by whoever keeps the time: see glide.js and replay.js.
(function () {
  'use strict';

  const { world } = window.Racecast;

  // Who is drawn first, and last over all others.
  const ON_TOP = ['dns', 'dsq', 'finished', 'dnf', 'waiting', 'paused', 'running'];

  function between(from, to, part) {
    return from + (to - from) * part;
  }

  // The world's edge is the antimeridian: across it, two neighbours are a whole world apart.
  function shortWay(offset) {
    return offset - Math.round(offset);
  }

  class Field {
    constructor(course) {
      this._course = course;
      this._byBib = new Map();
      this._spot = { x: 0, y: 0 };
      this.picture = null; // the newest
      this.pictures = 0;
      this.statuses = [];
      this.competitors = []; // in drawing order
    }

    // Takes a new picture. Everybody glides to it from where they are with so much of the last glide over;
    // with null there is nothing to glide from, and they jump.
    update(picture, glided) {
      const known = this._byBib;
      this._byBib = new Map();
      picture.columns.competitor.forEach((bib, row) => {
        this._byBib.set(bib, this._next(glided === null ? null : known.get(bib), glided, picture, row));
      });
      this._took(picture);
    }

    // Takes two pictures: places are asked for between them, and all else is as the first one says.
    between(first, second) {
      this.update(first, null);
      const before = this._byBib;
      this.update(second, 1);
      for (const [bib, one] of this._byBib) {
        const known = before.get(bib);
        if (known) Object.assign(one, { told: known.told });
        else this._byBib.delete(bib);
      }
      this._took(first);
    }

    // What is known of a competitor; `told` is as the picture says it.
    competitor(bib) {
      return this._byBib.get(bib);
    }

    // Where `one` is when so much of the glide is over: out.x, out.y on the Mercator square, out.distance.
    place(one, part, out) {
      out.distance = between(one.distance, one.toDistance, part);
      this._course.at(out.distance, out);
      out.x += between(one.offX, one.toOffX, part);
      out.y += between(one.offY, one.toOffY, part);
      return out;
    }

    _took(picture) {
      this.picture = picture;
      this.statuses = picture.statuses;
      this.competitors = this._inDrawingOrder();
      this.pictures += 1;
    }

    _next(before, glided, { columns }, row) {
      const toDistance = columns.distance[row];
      const spot = this._course.at(toDistance, this._spot);
      const toOffX = shortWay(world.x(columns.lon[row]) - spot.x);
      const toOffY = world.y(columns.lat[row]) - spot.y;
      const to = {
        bib: columns.competitor[row],
        told: {
          place: columns.place[row],
          status: columns.status[row],
          distance: toDistance,
          elapsed: columns.elapsed[row],
          start: columns.start[row],
        },
        toDistance,
        toOffX,
        toOffY,
      };
      if (!before) return { ...to, distance: toDistance, offX: toOffX, offY: toOffY };
      return {
        ...to,
        distance: between(before.distance, before.toDistance, glided),
        offX: between(before.offX, before.toOffX, glided),
        offY: between(before.offY, before.toOffY, glided),
      };
    }

    _inDrawingOrder() {
      const height = this.statuses.map((name) => ON_TOP.indexOf(name));
      return [...this._byBib.values()].sort(
        (a, b) => height[a.told.status] - height[b.told.status] || a.toDistance - b.toDistance,
      );
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Field });
})();
