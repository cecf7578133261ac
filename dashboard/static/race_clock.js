// The time of the race between its payloads.
//
// Each payload says how far the race is at least. The clock runs ahead of the newest one, up to the time that
// usually passes until the next, so it stands still when the data does, and while the race is paused.
(function () {
  'use strict';

  const LONGEST_GAP_S = 15; // between two payloads; with longer ones the clock waits

  class RaceClock {
    // speed: race seconds per second; tick: seconds between two ticks.
    constructor({ speed, tick }) {
      this._speed = speed;
      this._tick = tick;
      this._taken = null; // the newest payload
      this._gap = tick;
    }

    // Takes the newest payload, which arrived at this performance.now(); null for none.
    take(payload, arrived) {
      if (payload === this._taken) return;
      const before = this._taken;
      this._taken = payload;
      if (payload === null) return;
      const { time, age } = payload;
      const isNext = before !== null && before.status === payload.status;
      if (!isNext) this._gap = this._tick;
      else if (time !== before.time) this._gap = Math.min(LONGEST_GAP_S, (arrived - this._arrived) / 1000);
      if (!isNext || time !== before.time) this._arrived = arrived;
      // The race time at the page's zero. A position's age includes how long it took to arrive.
      const zero = time + this._speed * (Math.min(age || 0, this._ahead()) - arrived / 1000);
      const isPlausible = isNext && this._zero + (this._speed * arrived) / 1000 - time <= this._speed * this._ahead();
      this._zero = isPlausible ? Math.max(this._zero, zero) : zero;
    }

    // Race seconds now; null before the first payload.
    time() {
      if (this._taken === null) return null;
      const { time, status } = this._taken;
      if (status !== 'running') return time;
      const now = this._zero + (this._speed * performance.now()) / 1000;
      return Math.max(time, Math.min(now, time + this._speed * this._ahead()));
    }

    // Seconds that the clock may be ahead of the newest payload.
    _ahead() {
      return this._tick + Math.max(this._gap, this._tick);
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { RaceClock });
})();
