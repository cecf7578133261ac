// The course as a line, queried for the place at a distance.
//
// Places are on the Web Mercator square, x and y from 0 to 1, which is what the canvas draws with.
(function () {
  'use strict';

  const EARTH_RADIUS_M = 6371008.8; // mean radius, IUGG
  const MOST_PLACES = 200; // per segment; more only costs time

  function worldX(lon) {
    return lon / 360 + 0.5;
  }

  function worldY(lat) {
    const sine = Math.sin((lat * Math.PI) / 180);
    return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  }

  function longitude(x) {
    return (x - 0.5) * 360;
  }

  function latitude(y) {
    return (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI;
  }

  function metresBetween([lon1, lat1], [lon2, lat2]) {
    const rad = Math.PI / 180;
    const s1 = Math.sin(((lat2 - lat1) * rad) / 2);
    const s2 = Math.sin(((lon2 - lon1) * rad) / 2);
    const h = s1 * s1 + Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * s2 * s2;
    return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(h));
  }

  class CourseLine {
    // points: [[lon, lat], …] of one lap; distance: metres of all laps, as the race measures them; altitudes:
    // metres of each point, or null.
    constructor(points, distance, altitudes = null) {
      this.altitudes = altitudes;
      this._x = points.map(([lon]) => worldX(lon));
      this._y = points.map(([, lat]) => worldY(lat));
      this._found = { low: 0, part: 0 };
      this._along = [0];
      this.worldLength = 0; // of a lap, on the Mercator square
      for (let i = 1; i < points.length; i++) {
        this._along.push(this._along[i - 1] + metresBetween(points[i - 1], points[i]));
        this.worldLength += Math.hypot(this._x[i] - this._x[i - 1], this._y[i] - this._y[i - 1]);
      }
      this._normals = normalsOf(this._x, this._y);
      this._length = this._along[this._along.length - 1];
      this.distance = distance;
      this.laps = Math.max(1, Math.round(distance / this._length));
      // The race measures on the ellipsoid and this line on a sphere; the ratio converts one to the other.
      this.lapDistance = distance / this.laps;
    }

    // The lap at a distance, from 1; the lap's line belongs to the lap that ends there.
    lapAt(distance) {
      return Math.min(this.laps, Math.max(1, Math.ceil(distance / this.lapDistance)));
    }

    // Metres above sea level at a distance, or null.
    altitude(distance) {
      if (!this.altitudes) return null;
      const { low, part } = this._segment(distance);
      return this.altitudes[low] + (this.altitudes[low + 1] - this.altitudes[low]) * part;
    }

    // The place after this many metres of the race, written into out.x and out.y, and the direction to the
    // runner's right: out.normalX and out.normalY, of length 1, which turns evenly along the line.
    at(distance, out) {
      const { low, part } = this._segment(distance);
      out.x = this._x[low] + (this._x[low + 1] - this._x[low]) * part;
      out.y = this._y[low] + (this._y[low + 1] - this._y[low]) * part;
      const { x, y } = this._normals;
      out.normalX = x[low] + (x[low + 1] - x[low]) * part;
      out.normalY = y[low] + (y[low + 1] - y[low]) * part;
      return out;
    }

    // The line between two distances of one lap, with all its bends: [{x, y}, …].
    piece(from, to) {
      const lap = this.lapAt((from + to) / 2) - 1;
      const [first, last] = [from, to].map((distance) => (distance / this.lapDistance - lap) * this._length);
      const bends = [];
      for (let i = 0; i < this._along.length; i++) {
        if (this._along[i] > first && this._along[i] < last) bends.push({ x: this._x[i], y: this._y[i] });
      }
      return [this.at(from, {}), ...bends, this.at(to, {})];
    }

    // The segment at a distance, as the index of its first point, and the part of it that is covered. The
    // object is the same for all calls, as there are thousands per frame.
    _segment(distance) {
      // Rounding may put a finisher beyond the end, which is no further lap.
      const lap = this.lapAt(distance) - 1;
      const inLap = Math.max(0, distance / this.lapDistance - lap) * this._length;
      const along = this._along;
      let low = 0;
      let high = along.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (along[middle] <= inLap) low = middle;
        else high = middle;
      }
      const step = along[high] - along[low];
      this._found.low = low;
      this._found.part = step > 0 ? Math.min(1, (inLap - along[low]) / step) : 0;
      return this._found;
    }
  }

  // The normals at the points of a line: each the mean of those of the segments on both sides.
  function normalsOf(x, y) {
    const count = x.length;
    const normals = { x: new Float64Array(count), y: new Float64Array(count) };
    for (let i = 0; i < count; i++) {
      const [from, to] = [Math.max(0, i - 1), Math.min(count - 1, i + 1)];
      const into = direction(x[i] - x[from], y[i] - y[from]);
      const onwards = direction(x[to] - x[i], y[to] - y[i]);
      let mean = direction(into.x + onwards.x, into.y + onwards.y);
      if (mean.x === 0 && mean.y === 0) mean = into; // the line turns back
      normals.x[i] = -mean.y;
      normals.y[i] = mean.x;
    }
    return normals;
  }

  function direction(x, y) {
    const length = Math.hypot(x, y);
    return length > 0 ? { x: x / length, y: y / length } : { x: 0, y: 0 };
  }

  // The places between two distances, ends included, as [{x, y}, …].
  function stretch(course, from, to, step) {
    const places = [];
    const count = Math.max(1, Math.min(MOST_PLACES, Math.ceil((to - from) / step)));
    for (let i = 0; i <= count; i++) {
      places.push({ ...course.at(from + ((to - from) * i) / count, {}) });
    }
    return places;
  }

  // Used when the course is unknown: every position is an offset from the middle of the world.
  class NoCourse {
    constructor() {
      Object.assign(this, { distance: 0, laps: 1, lapDistance: 0, worldLength: 0 });
    }

    at(_distance, out) {
      return Object.assign(out, { x: 0.5, y: 0, normalX: 0, normalY: 0 });
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, {
    CourseLine,
    NoCourse,
    stretch,
    world: { x: worldX, y: worldY, longitude, latitude },
  });
})();
