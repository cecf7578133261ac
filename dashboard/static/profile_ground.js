// The part of the elevation profile that stands still: relief, axis, geofences, timing points and laps, drawn once
// for each size and theme. A course without altitude is a level strip.
(function () {
  'use strict';

  const { formatting } = window.Racecast;

  const ROW_PX = 14; // of names
  const NAMES_GAP_PX = 6; // between the map and the names
  const SIDE_PX = 16; // room for a dot at either end
  const AXIS_PX = 17;
  const LEAST_RANGE_M = 25; // so that a flat course looks flat
  const HEADROOM_PX = 20; // for the crowd on top of the relief
  const MARK_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
  const MARK_PX = 60; // the least distance between two labels of the axis
  const POINT_PX = 5; // half of a timing point's mark
  const STRIP_PX = 9; // of the density, and a gap above
  const LAP_PX = 8; // the least width of a lap with a border
  const FONT = '10px sans-serif';

  class Ground {
    // points: [[name, metres], …]; fences: [[name, [[first, last], …]], …]; hasDensity: whether there is a strip for
    // the density.
    constructor(course, points, fences, hasDensity) {
      this._course = course;
      this._points = points;
      this._fences = fences;
      this._strip = hasDensity ? STRIP_PX : 0;
      this._canvas = document.createElement('canvas');
      this.range = course.altitudes ? extremes(course.altitudes) : null; // lowest and highest metre
      this._drawn = '';
    }

    // Heights in CSS pixels: of the whole, and of the rows of names above the relief.
    size(rows, isNarrow) {
      const names = ROW_PX * rows + NAMES_GAP_PX;
      const relief = this.range ? (isNarrow ? 52 : 72) : HEADROOM_PX + 6;
      return { rows, names, height: names + relief + this._strip + AXIS_PX };
    }

    // Draws itself again if the size, the colours or the density have changed.
    // Parts: those of a `Density`.
    fit(width, { rows, names, height }, ratio, colours, parts) {
      const drawn = JSON.stringify([width, height, ratio, colours]);
      if (drawn === this._drawn && parts === this._parts) return;
      this._drawn = drawn;
      this._parts = parts;
      Object.assign(this, { width, height, names, rows, bottom: height - AXIS_PX - this._strip });
      this._relief = null;
      this._canvas.width = Math.round(width * ratio);
      this._canvas.height = Math.round(height * ratio);
      const context = this._canvas.getContext('2d');
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this._draw(context, colours, parts);
    }

    paint(context) {
      context.drawImage(this._canvas, 0, 0, this.width, this.height);
    }

    x(distance) {
      return SIDE_PX + (distance / this._course.distance) * (this.width - 2 * SIDE_PX);
    }

    distance(x) {
      const share = (x - SIDE_PX) / (this.width - 2 * SIDE_PX);
      return Math.min(1, Math.max(0, share)) * this._course.distance;
    }

    // The middle of a row of names, from the lowest.
    rowY(row) {
      return this.names - ROW_PX * (row + 0.5);
    }

    // The height of the course's line at a distance.
    y(distance) {
      if (this.range === null) return this.bottom - 3;
      const [low, high] = this.range;
      const room = this.bottom - 4 - (this.names + HEADROOM_PX);
      const range = Math.max(LEAST_RANGE_M, high - low);
      return this.bottom - 4 - ((this._course.altitude(distance) - low) / range) * room;
    }

    // The heights of the course's line at every so many pixels, from the left edge to the right.
    relief(step) {
      const count = Math.ceil(this.width / step) + 1;
      this._relief ??= Float32Array.from({ length: count }, (_, nth) => this.y(this.distance(nth * step)));
      return this._relief;
    }

    // Names of what is at a distance: geofences, and timing points within `reach` metres.
    placesAt(distance, reach) {
      const isInside = ([first, last]) => first <= distance && distance <= last;
      const fences = this._fences.filter(([, visits]) => visits.some(isInside)).map(([name]) => name);
      const near = this._points.filter(([, metres]) => Math.abs(metres - distance) <= reach);
      return [...new Set([...fences, ...near.map(([name]) => name)])];
    }

    _draw(context, colours, parts) {
      this._drawRelief(context, colours);
      for (const part of parts) this._drawDensity(context, part, colours);
      this._drawFences(context, colours);
      this._drawLaps(context, colours);
      this._drawAxis(context, colours);
      this._drawPoints(context, colours);
    }

    _drawRelief(context, { road, relief }) {
      const line = new Path2D();
      for (let x = SIDE_PX; x <= this.width - SIDE_PX; x++) line.lineTo(x, this.y(this.distance(x)));
      const area = new Path2D(line);
      area.lineTo(this.width - SIDE_PX, this.bottom);
      area.lineTo(SIDE_PX, this.bottom);
      context.fillStyle = relief;
      context.fill(area);
      Object.assign(context, { strokeStyle: road, lineWidth: this.range ? 2 : 4, lineJoin: 'round' });
      context.stroke(line);
    }

    // Between the relief and the axis.
    _drawDensity(context, { from, to, level }, colours) {
      const [left, right] = [this.x(from), this.x(to)];
      context.fillStyle = colours[`density-${level}`];
      context.fillRect(left, this.bottom + 2, right - left, this._strip - 2);
    }

    _drawFences(context, { fence }) {
      for (const [first, last] of this._fences.flatMap(([, visits]) => visits)) {
        const [left, right] = [this.x(first), Math.max(this.x(last), this.x(first) + 2)];
        context.globalAlpha = 0.16;
        context.fillStyle = fence;
        context.fillRect(left, this.names, right - left, this.bottom - this.names);
        context.globalAlpha = 1;
        context.fillRect(left, this.bottom - 2, right - left, 2);
      }
    }

    _drawLaps(context, { ink }) {
      const { laps, lapDistance } = this._course;
      if ((this.width - 2 * SIDE_PX) / laps < LAP_PX) return;
      Object.assign(context, { strokeStyle: ink, lineWidth: 1, globalAlpha: 0.45 });
      context.setLineDash([3, 3]);
      for (let lap = 1; lap < laps; lap++) {
        const x = Math.round(this.x(lap * lapDistance)) + 0.5;
        segment(context, x, this.names, x, this.bottom);
      }
      context.setLineDash([]);
      context.globalAlpha = 1;
    }

    _drawAxis(context, { road, ink }) {
      Object.assign(context, { strokeStyle: road, fillStyle: ink, lineWidth: 1, font: FONT, textBaseline: 'middle' });
      const axis = this.bottom + this._strip;
      segment(context, SIDE_PX, axis + 0.5, this.width - SIDE_PX, axis + 0.5);
      const { distance } = this._course;
      const unit = formatting.unit().metres;
      const isWide = (units) => this.x(unit * units) - this.x(0) >= MARK_PX;
      const step = (MARK_STEPS.find(isWide) || Infinity) * unit;
      const decimals = step < unit ? 1 : 0;
      // The last label is the course's length.
      for (let metres = 0; this.x(distance) - this.x(metres) > MARK_PX; metres += step) {
        this._mark(context, metres, (metres / unit).toFixed(decimals));
      }
      this._mark(context, distance, formatting.distance(distance));
    }

    _mark(context, metres, text) {
      const x = this.x(metres);
      const axis = this.bottom + this._strip;
      segment(context, Math.round(x) + 0.5, axis, Math.round(x) + 0.5, axis + 4);
      const half = context.measureText(text).width / 2;
      context.textAlign = 'center';
      context.fillText(text, Math.min(this.width - half - 1, Math.max(half + 1, x)), axis + AXIS_PX / 2 + 2);
    }

    // The same diamond as on the map.
    _drawPoints(context, colours) {
      Object.assign(context, { fillStyle: '#fff', strokeStyle: colours['course-edge'], lineWidth: 1.5 });
      for (const [, metres] of this._points) {
        const [x, y] = [this.x(metres), this.bottom - POINT_PX];
        context.beginPath();
        context.moveTo(x, y - POINT_PX);
        context.lineTo(x + POINT_PX, y);
        context.lineTo(x, y + POINT_PX);
        context.lineTo(x - POINT_PX, y);
        context.closePath();
        context.fill();
        context.stroke();
      }
    }
  }

  function extremes(values) {
    return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  }

  function segment(context, fromX, fromY, toX, toY) {
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.stroke();
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Ground, ROW_PX, segment });
})();
