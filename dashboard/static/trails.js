// The favourites' trails over the last minute of race time.
//
// Stores distances per payload. Earlier ones are requested once, so that a trail is complete from the
// beginning.
(function () {
  'use strict';

  const LENGTH_S = 60;

  class Trails {
    // past(time) requests the payload at a race time and returns it or null.
    constructor(past) {
      this._past = past;
      this._bibs = [];
      this._moments = []; // {time, distances: Map}, the oldest first
    }

    // Set the competitors with trails.
    set(bibs) {
      if (String(bibs) === String(this._bibs)) return;
      this._bibs = bibs;
      this._moments = [];
    }

    // A new live payload.
    async add(payload) {
      if (this._bibs.length === 0) return;
      const isFirst = this._moments.length === 0;
      const last = this._moments[this._moments.length - 1];
      if (last && last.time >= payload.time) return;
      this._moments.push(this._moment(payload));
      this._forget(payload.time - LENGTH_S);
      if (isFirst && payload.time > 0) await this._fill(payload.time - LENGTH_S);
    }

    // [{bib, from}, …]: the distance of each a minute ago, as far as it is known.
    starts() {
      const newest = this._moments[this._moments.length - 1];
      if (!newest) return [];
      return this._bibs
        .map((bib) => ({ bib, from: this._distanceAt(bib, newest.time - LENGTH_S) }))
        .filter(({ from }) => from !== null);
    }

    async _fill(time) {
      const bibs = this._bibs;
      const payload = await this._past(Math.max(0, Math.floor(time)));
      if (!payload || bibs !== this._bibs) return;
      this._moments.unshift(this._moment(payload));
    }

    _moment({ time, columns }) {
      const wanted = new Set(this._bibs);
      const distances = new Map();
      columns.competitor.forEach((bib, row) => {
        if (wanted.has(bib)) distances.set(bib, columns.distance[row]);
      });
      return { time, distances };
    }

    // Keeps one moment before `time`, to interpolate from.
    _forget(time) {
      while (this._moments.length > 1 && this._moments[1].time <= time) this._moments.shift();
    }

    _distanceAt(bib, time) {
      const known = this._moments.filter(({ distances }) => distances.has(bib));
      if (known.length === 0) return null;
      const after = known.findIndex((moment) => moment.time >= time);
      if (after <= 0) return known[0].distances.get(bib);
      const [a, b] = [known[after - 1], known[after]];
      const part = (time - a.time) / (b.time - a.time);
      return a.distances.get(bib) + (b.distances.get(bib) - a.distances.get(bib)) * part;
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Trails });
})();
