// The elevation profile of a course below the map: its relief, and what is at the place that the viewer points at.
(function () {
  'use strict';

  const { densityText, formatting, placement, Ground, ROW_PX, segment } = window.Racecast;

  const REACH_PX = 5; // of the pointer, for timing points
  const LEVELS = ['density-0', 'density-1', 'density-2', 'density-3'];
  const COLOURS = ['road', 'relief', 'fence', 'ink', 'paper', 'course-edge', ...LEVELS];
  const NONE = []; // parts of a density
  const RANGE_FONT = '10px sans-serif';

  class CourseProfile {
    // below: the parts below the map; points, fences, density: of the map's options; rowsOf(isNarrow): rows of text
    // above the relief.
    constructor(below, course, { points, fences, density }, rowsOf = () => 1) {
      this._course = course;
      this._ground = new Ground(course, points, fences, Boolean(density));
      this._sizeOf = (isNarrow) => this._ground.size(rowsOf(isNarrow), isNarrow);
      this._box = below.add('race-profile', (isNarrow) => this._sizeOf(isNarrow).height);
      this._canvas = L.DomUtil.create('canvas', '', this._box);
      this._canvas.setAttribute('role', 'img');
      this._canvas.setAttribute('aria-label', this._title());
      this._context = this._canvas.getContext('2d');
      this._words = L.DomUtil.create('div', 'race-profile-words', this._box);
      this._words.hidden = true;
      this._probe = L.DomUtil.create('span', '', this._box);
      this._probe.hidden = true;
      this._pointed = null; // x of the pointer
      this._rangeBefore = null; // the last choice of a place for the altitudes
      const move = ({ offsetX }) => this._point(offsetX);
      this._canvas.addEventListener('pointerdown', move);
      this._canvas.addEventListener('pointermove', move);
      this._canvas.addEventListener('pointerleave', () => this._point(null));
    }

    // Reads the colours, which are those of the theme.
    prepare() {
      const colours = COLOURS.map((name) => [name, this._resolve(name)]);
      this._colours = { ground: Object.fromEntries(colours) };
      Object.assign(this._colours, this._colours.ground);
    }

    draw() {
      if (!this._colours) return;
      this._cover();
      if (this._ground.width === 0) return; // the frame has no size yet, or no more
      this._context.clearRect(0, 0, this._ground.width, this._ground.height);
      this._ground.paint(this._context);
      this._drawOver();
      this._drawPointed();
    }

    // On top of the relief.
    _drawOver() {
      this._drawRange([]);
    }

    _redraw() {
      this.draw();
    }

    // How crowded the course is, as a `Density`; null without a race with crowding.
    _density() {
      return null;
    }

    // The name of the runner at an x, or null.
    _nameAt() {
      return null;
    }

    _cover() {
      const { clientWidth: width, clientHeight: height } = this._box;
      const ratio = window.devicePixelRatio || 1;
      const [pixels, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (this._canvas.width !== pixels || this._canvas.height !== rows) {
        Object.assign(this._canvas, { width: pixels, height: rows });
      }
      const isNarrow = height === this._sizeOf(true).height;
      const density = this._density();
      const parts = density === null ? NONE : density.parts();
      this._ground.fit(width, this._sizeOf(isNarrow), ratio, this._colours.ground, parts);
      this._context.setTransform(ratio, 0, 0, ratio, 0, 0);
    }

    // The colour of a custom property, in a notation that every canvas knows.
    _resolve(name) {
      this._probe.style.color = `var(--${name})`;
      return getComputedStyle(this._probe).color;
    }

    // Where the lowest and the highest altitude may be written, the best place first.
    _rangeBoxes() {
      const { range, width, rows } = this._ground;
      if (range === null) return [];
      this._context.font = RANGE_FONT;
      const half = this._context.measureText(this._range()).width / 2 + 2;
      return Array.from({ length: rows }, (_, row) => rows - 1 - row).flatMap((row) =>
        [width - half, half].map((x) => placement.box(x, this._ground.rowY(row), 2 * half, ROW_PX)),
      );
    }

    // In the rows of text, beside the boxes of other texts.
    _drawRange(taken) {
      const boxes = this._rangeBoxes();
      const [chosen] = placement.place([{ boxes, before: this._rangeBefore }], taken);
      this._rangeBefore = chosen;
      if (chosen === null) return;
      const { left, right, top, bottom } = boxes[chosen];
      const { _context: context } = this;
      Object.assign(context, { font: RANGE_FONT, textAlign: 'center', textBaseline: 'middle' });
      context.fillStyle = this._colours.ink;
      context.fillText(this._range(), (left + right) / 2, (top + bottom) / 2);
    }

    _range() {
      const [low, high] = this._ground.range;
      return `${formatting.height(low)}–${formatting.altitude(high)}`;
    }

    _title() {
      const of = formatting.distance(this._course.distance);
      const { range } = this._ground;
      if (range === null) return `Course of ${of}`;
      return `Elevation profile of ${of}, ${formatting.height(range[0])} to ${formatting.altitude(range[1])}`;
    }

    _point(x) {
      this._pointed = x;
      this._redraw();
    }

    _drawPointed() {
      this._words.hidden = this._pointed === null;
      if (this._pointed === null) return;
      const { _context: context, _ground: ground } = this;
      const metres = ground.distance(this._pointed);
      const x = ground.x(metres);
      Object.assign(context, { strokeStyle: this._colours.ink, lineWidth: 1 });
      segment(context, x, ground.names, x, ground.bottom);
      this._say(metres, x);
    }

    _say(metres, x) {
      const { laps, distance } = this._course;
      const altitude = this._course.altitude(metres);
      const density = this._density() && this._density().at(metres);
      const reach = (REACH_PX / this._ground.width) * distance;
      const name = this._nameAt(this._pointed);
      const facts = [
        formatting.distance(metres),
        ...(altitude === null ? [] : [formatting.altitude(altitude)]),
        ...(laps > 1 ? [`Lap ${this._course.lapAt(metres)} of ${laps}`] : []),
        ...this._ground.placesAt(metres, reach),
        ...(density === null ? [] : [densityText(density)]),
        ...(name === null ? [] : [name]),
      ];
      this._words.textContent = facts.join(' · ');
      const width = this._words.offsetWidth;
      this._words.style.left = `${Math.max(4, Math.min(this._ground.width - width - 4, x - width / 2))}px`;
      this._canvas.style.cursor = name === null ? 'default' : 'pointer';
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { CourseProfile });
})();
