// The competitors on their way from the last known positions to the newest.
//
// Between two pictures everybody glides along the course, not straight across its bends: the distance is
// interpolated, the course gives the place, and the offset of the measured place from the course (GPS error,
// the width of the road) is interpolated too. At both ends that is exactly the place that was measured.
(function () {
  'use strict';

  const { world } = window.Racecast;

  const SHORTEST_GLIDE_MS = 200;
  const LATE = 1.1; // glide a little longer than the next picture should take: nobody stops before it is here
  const JUMP_AFTER = 3; // so many usual gaps without a picture (a tab that slept): jump, don't race there
  const ON_TOP = ['finished', 'dnf', 'paused', 'running']; // who is drawn first, and last over all others

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
      this._gap = null; // the usual time between two pictures, smoothed
      this._from = 0;
      this._until = 0;
      this._arrived = 0;
      this.pictures = 0;
      this.statuses = [];
      this.competitors = []; // in drawing order
    }

    // A new picture has come, at `now` milliseconds.
    update(picture, now, smoothly) {
      const glided = this.part(now);
      const jump = this._startGlide(now) || !smoothly;
      const known = this._byBib;
      this._byBib = new Map();
      picture.competitor.forEach((bib, i) => {
        this._byBib.set(bib, this._next(jump ? null : known.get(bib), glided, picture, i));
      });
      this.statuses = picture.statuses;
      this.competitors = this._inDrawingOrder();
      this.pictures += 1;
    }

    isGliding(now) {
      return now < this._until;
    }

    // How far the glide is, 0 to 1.
    part(now) {
      const whole = this._until - this._from;
      return whole > 0 ? Math.min(1, Math.max(0, (now - this._from) / whole)) : 1;
    }

    // Where `one` is when so much of the glide is over: out.x, out.y on the Mercator square, out.distance.
    place(one, part, out) {
      out.distance = between(one.distance, one.toDistance, part);
      this._course.at(out.distance, out);
      out.x += between(one.offX, one.toOffX, part);
      out.y += between(one.offY, one.toOffY, part);
      return out;
    }

    // Sets the next glide's time. True if there is nothing to glide from.
    _startGlide(now) {
      const since = now - this._arrived;
      this._arrived = now;
      const jump = this.pictures === 0 || (this._gap !== null && since > JUMP_AFTER * this._gap);
      if (!jump) this._gap = this._gap === null ? since : between(this._gap, since, 0.3);
      this._from = now;
      this._until = jump ? now : now + Math.max(SHORTEST_GLIDE_MS, this._gap * LATE);
      return jump;
    }

    _next(before, glided, picture, i) {
      const toDistance = picture.distance[i];
      const spot = this._course.at(toDistance, this._spot);
      const toOffX = shortWay(world.x(picture.lon[i]) - spot.x);
      const toOffY = world.y(picture.lat[i]) - spot.y;
      const to = { bib: picture.competitor[i], status: picture.status[i], toDistance, toOffX, toOffY };
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
        (a, b) => height[a.status] - height[b.status] || a.toDistance - b.toDistance,
      );
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Field });
})();
