// The elevation profile below the map: who is where along the course.
//
// Runners are on the relief at the distances that the map draws them at. Small fields are dots; of a larger one the
// profile shows its density. Leaders, favourites and the competitor in the inspector are marked; those that are close
// together share a flag, and a name with the number of the others.
(function () {
  'use strict';

  const { densityText, formatting, placement, CourseProfile, ROW_PX, segment, categoryColour } = window.Racecast;

  const ON_COURSE = ['running', 'paused'];
  const MOST_DOTS = 200;
  const DOT_PX = 4;
  const BIN_PX = 3; // of the density
  const CROWD_PX = 16; // height of the densest bin, on top of
  const LEAST_PX = 2; // that of a bin with a single runner
  const FEWEST = 0.05; // of a runner, below which a bin is empty: rounding
  const CALMING = 0.05; // share per frame by which the scale follows the densest bin
  const FLAG_PX = 14;
  const MORE_PX = 26; // room beside a name for the number of those without
  const REACH_PX = 10;
  const LONGEST_NAME = 18; // characters
  const FONT = '600 11px sans-serif';

  class Profile extends CourseProfile {
    // below: the parts below the map; layer: the race.
    constructor(below, layer) {
      super(below, layer.course, layer.options, (isNarrow) => (isNarrow ? 1 : 2));
      this._layer = layer;
      this._part = 1; // of the glide, in the last frame
      this._before = new Map(); // the last choice of a name's place, by bib
      this._peak = 0;
      this._canvas.addEventListener('click', ({ offsetX }) => {
        this._point(offsetX);
        const runner = this._nearest(offsetX);
        if (runner !== null) this._layer.inspect(runner.bib);
      });
    }

    // The field or its colours changed.
    prepare(field) {
      super.prepare();
      this._field = field;
      const categories = this._layer.categories();
      const names = categories ? categories.map((_, nth) => categoryColour(nth)) : field.statuses;
      Object.assign(this._colours, { kinds: names.map((name) => this._resolve(name)), accent: this._resolve('accent') });
      this._runners = this._onCourse(field);
      this._canvas.setAttribute('aria-label', this._describe());
    }

    draw(part) {
      this._part = part;
      super.draw();
    }

    // What is drawn, for the tests.
    shown() {
      const { range, width, height } = this._ground;
      const xs = this._layer.leaders().map((one) => this._x(one));
      return { range, width, height, leaders: xs, named: this._named };
    }

    _drawOver() {
      if (this._runners.all.length > MOST_DOTS) this._drawCrowd();
      else this._drawDots();
      this._drawMarks();
    }

    _redraw() {
      this._layer.redraw();
    }

    _density() {
      return this._layer.density();
    }

    _x(one) {
      return this._ground.x(this._field.distanceOf(one, this._part));
    }

    // Those on the course, and the colour of each.
    _onCourse({ competitors, statuses }) {
      const isOn = statuses.map((name) => ON_COURSE.includes(name));
      const all = competitors.filter(({ data }) => isOn[data.status]);
      return {
        all,
        kind: Uint8Array.from(all, (one) => this._layer.kindOf(one)),
      };
    }

    // Metres covered by the runner of this index.
    _metres(nth) {
      return this._field.distanceOf(this._runners.all[nth], this._part);
    }

    _drawDots() {
      const { _context: context, _ground: ground } = this;
      Object.assign(context, { strokeStyle: this._colours.paper, lineWidth: 1 });
      for (let nth = 0; nth < this._runners.all.length; nth++) {
        const metres = this._metres(nth);
        context.beginPath();
        context.arc(ground.x(metres), ground.y(metres), DOT_PX, 0, 2 * Math.PI);
        context.fillStyle = this._colours.kinds[this._runners.kind[nth]];
        context.fill();
        context.stroke();
      }
    }

    // The density on top of the relief, one colour on top of the other. Each runner counts in both bins that are
    // nearest, so that the shape glides.
    _drawCrowd() {
      const { _ground: ground, _runners: runners } = this;
      const base = ground.relief(BIN_PX);
      const bins = base.length;
      const counts = this._colours.kinds.map(() => new Float32Array(bins));
      for (let nth = 0; nth < runners.all.length; nth++) {
        const at = ground.x(this._metres(nth)) / BIN_PX;
        const low = Math.floor(at);
        const own = counts[runners.kind[nth]];
        own[low] += low + 1 - at;
        own[low + 1] += at - low;
      }
      const total = new Float32Array(bins);
      for (const own of counts) for (let bin = 0; bin < bins; bin++) total[bin] += own[bin];
      const peak = total.reduce((a, b) => Math.max(a, b), 1);
      this._peak += (peak - this._peak) * (this._peak === 0 ? 1 : CALMING);
      // From the whole crowd down to the first colour: each covers what is below.
      for (let kind = counts.length - 1; kind >= 0; kind--) {
        if (counts[kind].some((count) => count > 0)) {
          this._fillCrowd(base, total, this._colours.kinds[kind]);
        }
        for (let bin = 0; bin < bins; bin++) total[bin] -= counts[kind][bin];
      }
    }

    _fillCrowd(base, total, colour) {
      const line = new Path2D();
      const height = (count) => (count < FEWEST ? 0 : LEAST_PX + CROWD_PX * Math.sqrt(Math.min(1, count / this._peak)));
      base.forEach((y, bin) => line.lineTo(bin * BIN_PX, y - height(total[bin])));
      for (let bin = base.length - 1; bin >= 0; bin--) line.lineTo(bin * BIN_PX, base[bin]);
      this._context.fillStyle = colour;
      this._context.fill(line);
    }

    // Leaders, favourites and the inspected competitor, the most important on top and named first.
    _drawMarks() {
      const leaders = this._layer.leaders();
      const marked = this._layer.marked();
      const others = marked.filter((one) => !leaders.includes(one));
      const [first, ...rest] = leaders;
      this._drawNames(first ? [first, ...others, ...rest] : others);
      for (const one of marked) this._drawRing(one, leaders.includes(one));
      flagsOf(leaders.map((one) => ({ place: one.data.place, x: this._x(one), y: this._y(one) }))).forEach((flag) =>
        this._drawFlag(flag),
      );
    }

    _y(one) {
      return this._ground.y(this._field.distanceOf(one, this._part));
    }

    _drawRing(one, isLeader) {
      const { _context: context } = this;
      context.beginPath();
      context.arc(this._x(one), this._y(one), isLeader ? FLAG_PX / 2 + 3 : DOT_PX + 3, 0, 2 * Math.PI);
      Object.assign(context, { strokeStyle: this._colours.accent, lineWidth: 2.5 });
      context.stroke();
    }

    _drawFlag({ text, x, y }) {
      const { _context: context } = this;
      const { ink, paper } = this._colours;
      context.font = FONT;
      const width = Math.max(FLAG_PX, context.measureText(text).width + 8);
      context.beginPath();
      context.roundRect(x - width / 2, y - FLAG_PX / 2, width, FLAG_PX, 4);
      Object.assign(context, { fillStyle: ink, strokeStyle: paper, lineWidth: 1.5 });
      context.fill();
      context.stroke();
      this._write(text, x, y, paper);
    }

    // Each name in a free place; who finds none is counted at the nearest name. The altitudes take what is left.
    _drawNames(order) {
      const { _context: context } = this;
      context.font = FONT;
      const names = order.map((one) => this._nameLabel(one));
      const taken = [];
      const chosen = placement.place(names, taken);
      this._before = new Map(names.map(({ bib }, nth) => [bib, chosen[nth]]));
      names.forEach((name, nth) => (name.box = name.boxes[chosen[nth]]));
      const placed = names.filter(({ box }) => box);
      names.filter((name) => !placed.includes(name)).forEach((name) => (nearestOf(placed, name.x).more += 1));
      this._named = placed.map(({ bib }) => bib);
      placed.forEach((name) => this._drawPole(name));
      placed.forEach((name) => this._drawName(name));
      this._drawRange(taken);
    }

    // The name of a competitor and the boxes for it: above, or to one side, in each row.
    _nameLabel(one) {
      const { _context: context, _ground: ground } = this;
      const text = shortened(this._layer.nameOf(one.bib));
      const width = context.measureText(text).width + MORE_PX;
      const x = this._x(one);
      const within = (middle) => Math.min(ground.width - width / 2, Math.max(width / 2, middle));
      const middles = [x, x + width / 2 - FLAG_PX / 2, x - width / 2 + FLAG_PX / 2].map(within);
      const boxes = Array.from({ length: ground.rows }, (_, row) =>
        middles.map((middle) => placement.box(middle, ground.rowY(row), width, ROW_PX)),
      );
      const before = this._before.get(one.bib) ?? null;
      return { bib: one.bib, text, more: 0, x, y: this._y(one), boxes: boxes.flat(), before };
    }

    _drawPole({ x, y, box }) {
      const { _context: context } = this;
      Object.assign(context, { strokeStyle: this._colours.ink, lineWidth: 1, globalAlpha: 0.5 });
      segment(context, x, box.bottom, x, y);
      context.globalAlpha = 1;
    }

    _drawName({ text, more, box }) {
      const { left, right, top, bottom } = box;
      Object.assign(this._context, { strokeStyle: this._colours.paper, lineWidth: 3, lineJoin: 'round' });
      const words = more > 0 ? `${text} +${more}` : text;
      this._write(words, (left + right) / 2, (top + bottom) / 2, this._colours.ink, true);
    }

    _write(text, x, y, colour, isOutlined = false) {
      const { _context: context } = this;
      Object.assign(context, { font: FONT, textAlign: 'center', textBaseline: 'middle', fillStyle: colour });
      if (isOutlined) context.strokeText(text, x, y + 0.5);
      context.fillText(text, x, y + 0.5);
    }

    _nameAt(x) {
      const runner = this._nearest(x);
      return runner && this._layer.nameOf(runner.bib);
    }

    // The runner who is drawn nearest to an x, if that is near enough; marks, which are on top, first.
    _nearest(x) {
      const isAt = (one) => Math.abs(this._x(one) - x) <= FLAG_PX / 2;
      const marked = [...this._layer.leaders(), ...this._layer.marked()].find(isAt);
      if (marked) return marked;
      let [found, least] = [null, REACH_PX];
      for (let nth = 0; nth < this._runners.all.length; nth++) {
        const off = Math.abs(this._ground.x(this._metres(nth)) - x);
        if (off <= least) [found, least] = [this._runners.all[nth], off];
      }
      return found;
    }

    _describeDensity() {
      const worst = this._density() && this._density().worst();
      if (!worst || worst.density === 0) return [];
      return [`Most crowded at ${formatting.distance(worst.distance)} with ${densityText(worst.density)}`];
    }

    _describe() {
      const { all } = this._runners;
      const covered = (one) => formatting.distance(one.toDistance);
      const [leader] = this._layer.leaders();
      const where = this._layer.options.isSample ? 'of the sample on the course' : 'on the course';
      const last = all.reduce((a, b) => (a && a.toDistance <= b.toDistance ? a : b), null);
      return [
        this._title(),
        ...(leader ? [`Leader ${this._layer.nameOf(leader.bib)} at ${covered(leader)}`] : []),
        ...this._describeDensity(),
        ...(last ? [`${all.length.toLocaleString('en')} ${where}, the last at ${covered(last)}`] : []),
      ].join('. ');
    }
  }

  // The flags of leaders at [{ place, x, y }, …]: leaders who are close together share one.
  function flagsOf(leaders) {
    const groups = [];
    for (const one of [...leaders].sort((a, b) => b.x - a.x)) {
      const last = groups[groups.length - 1];
      if (last && last[last.length - 1].x - one.x < FLAG_PX + 2) last.push(one);
      else groups.push([one]);
    }
    const mean = (values) => values.reduce((a, b) => a + b) / values.length;
    return groups.map((group) => {
      const places = group.map(({ place }) => place).sort((a, b) => a - b);
      const [first, last] = [places[0], places[places.length - 1]];
      const text = first === last ? String(first) : `${first}–${last}`;
      return { text, x: mean(group.map(({ x }) => x)), y: mean(group.map(({ y }) => y)) };
    });
  }

  function nearestOf(names, x) {
    return names.reduce((a, b) => (Math.abs(a.x - x) <= Math.abs(b.x - x) ? a : b));
  }

  function shortened(name) {
    return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1).trimEnd()}…` : name;
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Profile });
})();
