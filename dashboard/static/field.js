// The competitors on their way from one payload to the next.
//
// Between two payloads competitors glide along the course, not straight across its bends: the distance is
// interpolated, the course gives the place, and the offset of the measured position from the course (GPS
// error, the width of the road) is interpolated too. At both ends the result is exactly the measured
// position. The progress of the glide comes from the timekeeper: see glide.js and replay.js.
//
// While the next payload is late they go on at their last pace, but pass neither the finish nor a timing point: that
// they have passed one is for the data to say.
(function () {
  'use strict';

  const { formatting, sideOf, world } = window.Racecast;

  // Drawing order: the last is on top.
  const ON_TOP = ['dns', 'dsq', 'finished', 'dnf', 'waiting', 'stopped', 'paused', 'running'];

  function between(from, to, part) {
    return from + (to - from) * part;
  }

  // The world's edge is the antimeridian: across it, two neighbours are a whole world apart.
  function shortWay(offset) {
    return offset - Math.round(offset);
  }

  class Field {
    // barriers: metres of the timing points and the finish, in order; speed: race seconds per second.
    constructor(course, barriers, speed) {
      this._course = course;
      this._barriers = barriers;
      this._speed = speed;
      this.late = 0; // seconds by which the next payload is late
      this._byBib = new Map();
      this._spot = { x: 0, y: 0 };
      this.payload = null; // the newest
      this.payloads = 0;
      this.statuses = [];
      this.competitors = []; // in drawing order; of a race that a sample shows, those of the sample
    }

    // Takes a new payload, which came `late` seconds late. Competitors glide to it from their current place, at
    // `glided` of the last glide; with null there is nothing to glide from, and they jump.
    update(payload, glided, late = 0) {
      this.late = late;
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
      out.distance = this.distanceOf(one, part);
      this._course.at(out.distance, out);
      out.x += between(one.offX, one.toOffX, part);
      out.y += between(one.offY, one.toOffY, part);
      return out;
    }

    // Metres covered by `one` at this progress.
    distanceOf(one, part) {
      const distance = between(one.distance, one.toDistance, part);
      if (this.late === 0 || one.pace === 0) return distance;
      return Math.min(distance + one.pace * this.late, one.limit);
    }

    _took(payload) {
      this.payload = payload;
      this.late = 0;
      this.statuses = payload.statuses.map((name) => formatting.shownStatus(name, payload.status));
      this.competitors = this._inDrawingOrder();
      this.payloads += 1;
    }

    _next(before, glided, payload, row) {
      const { columns } = payload;
      const toDistance = columns.distance[row];
      const spot = this._course.at(toDistance, this._spot);
      const toOffX = shortWay(world.x(columns.lon[row]) - spot.x);
      const toOffY = world.y(columns.lat[row]) - spot.y;
      const to = {
        bib: columns.competitor[row],
        side: before ? before.side : sideOf(columns.competitor[row]),
        isDrawn: !columns.drawn || columns.drawn[row] === 1,
        data: {
          place: columns.place[row],
          status: columns.status[row],
          distance: toDistance,
          gun: columns.gun[row],
          chip: columns.chip[row],
          reason: formatting.cutOff(payload, row),
        },
        toDistance,
        toOffX,
        toOffY,
        pace: 0, // metres per second while the next payload is late, up to `limit`
        limit: toDistance,
      };
      if (!before) return { ...to, distance: toDistance, offX: toOffX, offY: toOffY };
      if (payload.statuses[columns.status[row]] === 'running') {
        to.pace = this._pace(before, toDistance, payload.time);
        to.limit = this._nextBarrier(toDistance);
      }
      return {
        ...to,
        distance: this.distanceOf(before, glided),
        offX: between(before.offX, before.toOffX, glided),
        offY: between(before.offY, before.toOffY, glided),
      };
    }

    // Metres per second since the payload before this one.
    _pace(before, distance, time) {
      const seconds = (time - this.payload.time) / this._speed;
      return seconds > 0 ? Math.max(0, distance - before.toDistance) / seconds : before.pace;
    }

    _nextBarrier(distance) {
      const next = this._barriers.find((barrier) => barrier > distance);
      return next === undefined ? distance : next;
    }

    _inDrawingOrder() {
      const height = this.statuses.map((name) => ON_TOP.indexOf(name));
      return [...this._byBib.values()].filter(({ isDrawn }) => isDrawn).sort(
        (a, b) => height[a.data.status] - height[b.data.status] || a.toDistance - b.toDistance,
      );
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Field });
})();
