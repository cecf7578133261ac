// Forecasts of a live race: who is expected where and when, as dashboard/race/forecasts.py makes them.
//
// They are times of the race, so they stay valid until there are newer ones: the time to go follows from the race clock.
(function () {
  'use strict';

  const { formatting } = window.Racecast;

  const FORECAST = ['running', 'paused']; // states of races that have forecasts
  const RETRY_MS = 10000;
  const FENCE_WORDS = { enter: 'Enter', exit: 'Leave' };

  class Forecasts {
    constructor({ time, points, columns, soon, step }) {
      this.time = time; // race seconds of the moment at which they were made
      this.points = points; // by distance: {name, lap, kind, distance}; the finish is the last; none if unknown
      this.soon = soon; // for each point {count, competitor, there}: those who arrive in the next minutes
      this.step = step; // of a sample: one of so many competitors is in it
      this._columns = columns;
      this._rows = new Map(columns.competitor.map((bib, row) => [bib, row]));
    }

    // The next point of a competitor and the arrival there in race seconds; null if that is not known, as for the short
    // time until the next forecasts after a point was passed. metres: where the competitor is.
    next(bib, metres) {
      const row = this._rows.get(bib);
      if (row === undefined) return null;
      const point = this.points[this._columns.point[row]];
      return metres < point.distance ? { point, ...this._interval('there', row) } : null;
    }

    // The finish time; by: 'gun' or 'chip'.
    finish(bib, by) {
      const row = this._rows.get(bib);
      return row === undefined ? null : this._interval(by, row);
    }

    _interval(name, row) {
      const { [name]: middle, [`${name}_low`]: low, [`${name}_high`]: high } = this._columns;
      return { expected: middle[row], low: low[row], high: high[row] };
    }
  }

  // Requests the forecasts while they are wanted, as often as there are others.
  class ForecastFeed {
    // onNew(forecasts) is called with newer ones, and with null when there are none any more.
    constructor(address, onNew) {
      this._address = address;
      this._onNew = onNew;
      this._isWanted = false;
      this._isHeld = false;
      this._status = null;
      this._seen = '';
      this._timer = null;
      this._asking = false;
      this._whenVisible = () => this._go();
      document.addEventListener('visibilitychange', this._whenVisible);
    }

    // isHeld: one request at each call instead of one after the other.
    want(isWanted, isHeld) {
      this._isWanted = isWanted;
      this._isHeld = isHeld;
      this._go();
    }

    // The race's state in the newest payload.
    take(status) {
      if (status === this._status) return;
      this._status = status;
      this._go();
    }

    stop() {
      this._isWanted = false;
      clearTimeout(this._timer);
      document.removeEventListener('visibilitychange', this._whenVisible);
    }

    _isOn() {
      return this._isWanted && FORECAST.includes(this._status);
    }

    _go() {
      if (this._isOn()) {
        if (this._timer === null && !document.hidden) this._ask();
        return;
      }
      clearTimeout(this._timer);
      this._timer = null;
      if (this._seen === '') return;
      this._seen = '';
      this._onNew(null);
    }

    async _ask() {
      if (this._asking) return;
      this._asking = true;
      const pause = await this._once();
      this._asking = false;
      clearTimeout(this._timer);
      this._timer = null;
      if (!this._isOn() || this._isHeld || document.hidden) return;
      this._timer = setTimeout(() => {
        this._timer = null;
        this._go();
      }, pause);
    }

    // Requests them once; returns the pause until the next request in milliseconds.
    async _once() {
      try {
        const answer = await fetch(`${this._address}?seen=${encodeURIComponent(this._seen)}`, { cache: 'no-store' });
        if (!answer.ok) return RETRY_MS;
        if (answer.status === 200) {
          const body = await answer.json();
          if (!this._isOn()) return RETRY_MS;
          this._seen = body.version;
          this._pause = body.again * 1000;
          this._onNew(new Forecasts(body));
        }
        return this._pause;
      } catch (_error) {
        return RETRY_MS;
      }
    }
  }

  // The name of a timing point in the viewer's units.
  function pointName({ kind, name, lap, distance }) {
    const shown = kind in FENCE_WORDS ? `${FENCE_WORDS[kind]} ${name}` : formatting.point(name, distance);
    return lap > 1 ? `${shown} · lap ${lap}` : shown;
  }

  // "5 km in 3:20" and "(3:05–3:41)", now in race seconds.
  function nextTexts({ point, expected, low, high }, now) {
    const [middle, first, last] = [expected, low, high].map((time) => formatting.toGo(time - now));
    return [`${pointName(point)} in ${middle}`, `(${first}–${last})`];
  }

  // "52:10" and "(50:58–53:40)".
  function finishTexts({ expected, low, high }) {
    return [formatting.duration(expected), `(${formatting.duration(low)}–${formatting.duration(high)})`];
  }

  window.Racecast = Object.assign(window.Racecast || {}, {
    ForecastFeed,
    forecastWords: { pointName, nextTexts, finishTexts },
  });
})();
