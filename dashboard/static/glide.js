// The duration of a live glide: the expected time until the next payload, plus a margin.
(function () {
  'use strict';

  const SHORTEST_MS = 200;
  const LATE = 1.1; // dots keep moving until the next payload arrives
  const JUMP_AFTER = 3; // after this many usual gaps without a payload (a sleeping tab), jump instead
  const SMOOTHING = 0.3;

  class Glide {
    constructor() {
      this._gap = null; // the usual time between two payloads, smoothed
      this._from = 0;
      this._until = 0;
      this._arrived = null;
    }

    // A payload arrived at `now` milliseconds: the next glide begins. False if there is nothing to glide
    // from.
    begin(now, smoothly) {
      const since = this._arrived === null ? Infinity : now - this._arrived;
      this._arrived = now;
      const jump = since === Infinity || (this._gap !== null && since > JUMP_AFTER * this._gap);
      if (!jump) this._gap = this._gap === null ? since : this._gap + (since - this._gap) * SMOOTHING;
      this._from = now;
      this._until = jump || !smoothly ? now : now + Math.max(SHORTEST_MS, this._gap * LATE);
      return !jump && smoothly;
    }

    // Whether the last payload was glided to, not jumped.
    isGliding() {
      return this._until > this._from;
    }

    isOn(now) {
      return now < this._until;
    }

    // Seconds since the glide has ended, at most `most`: by so much the next payload is late.
    late(now, most) {
      return Math.min(most, Math.max(0, (now - this._until) / 1000));
    }

    // Progress of the glide, 0 to 1.
    part(now) {
      const whole = this._until - this._from;
      return whole > 0 ? Math.min(1, Math.max(0, (now - this._from) / whole)) : 1;
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Glide });
})();
