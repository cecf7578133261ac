// How crowded the course is: runners per square metre of its sections, at one moment.
//
// The distances come from the timing system or are as true as it, whatever the trackers do. Those who wait for their
// start, pause or have ended are not on the road. Each lap is a road of its own, as for the simulator.
(function () {
  'use strict';

  const SECTION_M = 50; // at most
  const SAMPLED_M = 200; // at most, of a race that a sample shows: a section has as few runners as the sample
  const MOST_SECTIONS = 1000;
  // Runners per square metre. In start corrals with controls, 0.52 to 1.20 were measured (Peckover et al. 2022), and at
  // most 3 are advised in a start pen (Altenburg 2021).
  const LEVELS = [0.5, 1.2, 3];

  class Density {
    // widths: [[metres, width], …] of a lap, from its start on, null where it is unlimited; every: the sample has one
    // of so many competitors.
    constructor(course, { widths, every }) {
      this.course = course;
      this.isSample = every > 1;
      this._every = every;
      this._cut(widths, this.isSample ? SAMPLED_M : SECTION_M);
      this._runners = new Float64Array(this._width.length);
      this._parts = null;
    }

    // Counts the competitors of a `Field`.
    count(field) {
      const running = field.statuses.indexOf('running');
      this._runners.fill(0);
      this._parts = null;
      for (const { data } of field.competitors) {
        if (data.status !== running || data.distance <= 0 || data.distance >= this.course.distance) continue;
        this._runners[this._sectionAt(data.distance)] += this._every;
      }
    }

    // Runners per square metre at a distance; null where the width is unlimited.
    at(distance) {
      return this._density(this._sectionAt(distance));
    }

    // The parts of a lap with one level each, where the width is known, in order: [{ from, to, level }, …]. They are
    // the same object until the next count, for frames are drawn more often.
    parts() {
      this._parts ??= this._inParts();
      return this._parts;
    }

    _inParts() {
      const parts = [];
      for (let nth = 0; nth < this._width.length; nth++) {
        const density = this._density(nth);
        if (density === null) continue;
        const [from, to] = [this._places[nth], this._places[nth + 1]];
        const level = levelOf(density);
        const last = parts[parts.length - 1];
        const goesOn = last && last.to === from && nth % this._perLap > 0;
        if (goesOn && last.level === level) last.to = to;
        else parts.push({ from, to, level });
      }
      return parts;
    }

    // The most crowded section: its middle in metres, and its density; null where no width is known.
    worst() {
      let worst = null;
      for (let nth = 0; nth < this._width.length; nth++) {
        const density = this._density(nth);
        if (density === null || (worst && density <= worst.density)) continue;
        worst = { distance: (this._places[nth] + this._places[nth + 1]) / 2, density };
      }
      return worst;
    }

    // Sections are equal pieces of the parts of a lap with one width; a part without one is a section.
    _cut(widths, most) {
      const { laps, lapDistance, distance } = this.course;
      const steps = widths.filter(([since]) => since < lapDistance);
      const lengthOf = (nth) => (nth + 1 < steps.length ? steps[nth + 1][0] : lapDistance) - steps[nth][0];
      const known = steps.reduce((sum, [, width], nth) => sum + (width === null ? 0 : lengthOf(nth)), 0);
      const longest = Math.max(most, (known * laps) / MOST_SECTIONS);
      this._places = [];
      this._width = [];
      for (let lap = 0; lap < laps; lap++) {
        steps.forEach(([since, width], nth) => {
          const pieces = width === null ? 1 : Math.ceil(lengthOf(nth) / longest - 1e-9);
          for (let piece = 0; piece < pieces; piece++) {
            this._places.push(lap * lapDistance + since + (lengthOf(nth) * piece) / pieces);
            this._width.push(width);
          }
        });
      }
      this._perLap = this._width.length / laps;
      this._places.push(distance);
    }

    _density(nth) {
      const width = this._width[nth];
      return width === null ? null : this._runners[nth] / (width * (this._places[nth + 1] - this._places[nth]));
    }

    _sectionAt(distance) {
      let low = 0;
      let high = this._width.length;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (this._places[middle] <= distance) low = middle;
        else high = middle;
      }
      return low;
    }
  }

  // 0 to 3: the number of levels that a density exceeds.
  function levelOf(density) {
    return LEVELS.filter((level) => density > level).length;
  }

  // What the colours stand for, from the lowest.
  function levelNames() {
    const between = LEVELS.slice(1).map((level, nth) => `${LEVELS[nth]}–${level}`);
    return [`≤ ${LEVELS[0]}`, ...between, `> ${LEVELS[LEVELS.length - 1]}`];
  }

  // "1.3 runners/m²".
  function densityText(density) {
    return `${density.toFixed(density < 0.095 ? 2 : 1)} runners/m²`;
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Density, levelNames, densityText });
})();
