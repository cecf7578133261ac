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
    // points: [[lon, lat], …] of one lap; distance: metres of all laps, as the race measures them.
    constructor(points, distance) {
      this._x = points.map(([lon]) => worldX(lon));
      this._y = points.map(([, lat]) => worldY(lat));
      this._along = [0];
      for (let i = 1; i < points.length; i++) {
        this._along.push(this._along[i - 1] + metresBetween(points[i - 1], points[i]));
      }
      this._length = this._along[this._along.length - 1];
      this.laps = Math.max(1, Math.round(distance / this._length));
      // The race measures on the ellipsoid and this line on a sphere; the ratio converts one to the other.
      this._lapDistance = distance / this.laps;
    }

    // The place after this many metres of the race, written into out.x and out.y.
    at(distance, out) {
      const lap = Math.max(0, Math.ceil(distance / this._lapDistance) - 1);
      const inLap = Math.max(0, distance / this._lapDistance - lap) * this._length;
      const along = this._along;
      let low = 0;
      let high = along.length - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (along[middle] <= inLap) low = middle;
        else high = middle;
      }
      const step = along[high] - along[low];
      const part = step > 0 ? Math.min(1, (inLap - along[low]) / step) : 0;
      out.x = this._x[low] + (this._x[high] - this._x[low]) * part;
      out.y = this._y[low] + (this._y[high] - this._y[low]) * part;
      return out;
    }
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
    at(_distance, out) {
      out.x = 0.5;
      out.y = 0;
      return out;
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, {
    CourseLine,
    NoCourse,
    stretch,
    world: { x: worldX, y: worldY, longitude, latitude },
  });
})();
