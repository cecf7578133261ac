// The width of a pack: where competitors run closer together than their dots are wide, they spread across the
// road, the further the more they are. A line of dots shows that there are many; its width shows how many.
//
// Zoomed in, there is room between the dots, and each is where it was measured.
(function () {
  'use strict';

  const BIN_PX = 6;
  const MOST_BINS = 65536;
  const MOST_PX = 14; // to each side
  const GROWTH = 0.8; // of a dot's radius
  const EVENLY = [0.6180339887498949, 0.7548776662466927]; // multiples of these fill the road evenly

  class Pack {
    constructor(course) {
      this._course = course;
      this._bins = 1;
      this._perMetre = 0; // bins per metre
      this._widths = new Float32Array(2); // half the pack's, on the Mercator square, where each bin begins
    }

    // Counts the field's competitors along the course; scale: pixels of the world's width, radius: of a dot in pixels.
    measure(field, part, scale, radius) {
      const { worldLength, lapDistance } = this._course;
      this._bins = Math.max(1, Math.min(MOST_BINS, Math.ceil((worldLength * scale) / BIN_PX)));
      this._perMetre = lapDistance > 0 ? this._bins / lapDistance : 0;
      if (this._widths.length < this._bins + 2) this._widths = new Float32Array(this._bins + 2);
      const counts = this._widths.fill(0, 0, this._bins + 2);
      for (const one of field.competitors) {
        const distance = field.distanceOf(one, part);
        if (!this._isUnderWay(distance)) continue;
        const bin = this._binOf(distance);
        const low = Math.floor(bin);
        counts[low] += 1 - (bin - low);
        counts[low + 1] += bin - low;
      }
      const perBin = (2 * radius * this._bins) / (worldLength * scale);
      for (let bin = 0; bin < this._bins + 2; bin++) {
        const onTop = counts[bin] * perBin; // dots that cover the same pixel
        const width = onTop > 1 ? Math.min(MOST_PX, (Math.cbrt(onTop) - 1) * GROWTH * radius) : 0;
        counts[bin] = width / scale;
      }
    }

    // Moves the place of a competitor, from `Field.place`, across the road; side: from -1 to 1.
    spread(side, out) {
      if (!this._isUnderWay(out.distance)) return out;
      const bin = this._binOf(out.distance);
      const low = Math.floor(bin);
      const width = this._widths[low] + (this._widths[low + 1] - this._widths[low]) * (bin - low);
      out.x += out.normalX * side * width;
      out.y += out.normalY * side * width;
      return out;
    }

    // At both ends many stand in one place, however wide the road is drawn.
    _isUnderWay(distance) {
      return distance > 0 && distance < this._course.distance;
    }

    _binOf(distance) {
      const bin = distance * this._perMetre;
      return bin - this._bins * Math.floor(bin / this._bins);
    }
  }

  // A competitor's side of the road, -1 to 1, mostly in the middle.
  function sideOf(bib) {
    return ((bib * EVENLY[0]) % 1) - ((bib * EVENLY[1]) % 1);
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Pack, sideOf });
})();
