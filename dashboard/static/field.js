// The competitors on their way from one payload to the next.
//
// Between two payloads competitors glide along the course, not straight across its bends: the distance is
// interpolated, the course gives the place, and the offset of the measured position from the course (GPS
// error, the width of the road) is interpolated too. At both ends the result is exactly the measured
// position. The progress of the glide comes from the timekeeper: see glide.js and replay.js.
(function () {
  'use strict';

  const { world } = window.Racecast;

  // Drawing order: the last is on top.
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
      this.payload = null; // the newest
      this.payloads = 0;
      this.statuses = [];
      this.competitors = []; // in drawing order
    }

    // Takes a new payload. Competitors glide to it from their current place, `progress` of the last glide;
    // with null there is nothing to glide from, and they jump.
    update(payload, glided) {
      const known = this._byBib;
      this._byBib = new Map();
      payload.columns.competitor.forEach((bib, row) => {
        this._byBib.set(bib, this._next(glided === null ? null : known.get(bib), glided, payload, row));
      });
      this._took(payload);
    }

    // Takes two payloads: places are interpolated between them; everything else is from the first.
    between(first, second) {
      this.update(first, null);
      const before = this._byBib;
      this.update(second, 1);
      for (const [bib, one] of this._byBib) {
        const known = before.get(bib);
        if (known) Object.assign(one, { data: known.data });
        else this._byBib.delete(bib);
      }
      this._took(first);
    }

    // A competitor; `data` has the payload's values.
    competitor(bib) {
      return this._byBib.get(bib);
    }

    // Position of `one` at this progress: out.x, out.y on the Mercator square, out.distance.
    place(one, part, out) {
      out.distance = between(one.distance, one.toDistance, part);
      this._course.at(out.distance, out);
      out.x += between(one.offX, one.toOffX, part);
      out.y += between(one.offY, one.toOffY, part);
      return out;
    }

    _took(payload) {
      this.payload = payload;
      this.statuses = payload.statuses;
      this.competitors = this._inDrawingOrder();
      this.payloads += 1;
    }

    _next(before, glided, { columns }, row) {
      const toDistance = columns.distance[row];
      const spot = this._course.at(toDistance, this._spot);
      const toOffX = shortWay(world.x(columns.lon[row]) - spot.x);
      const toOffY = world.y(columns.lat[row]) - spot.y;
      const to = {
        bib: columns.competitor[row],
        data: {
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
        (a, b) => height[a.data.status] - height[b.data.status] || a.toDistance - b.toDistance,
      );
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Field });
})();
