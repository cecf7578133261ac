// The past of a race: its own time, and the payloads it needs.
//
// Payloads are requested once each, at even steps of race time, about one per second of playback. Between two
// of them dots glide along the course. Playback pauses while a payload is missing.
(function () {
  'use strict';

  const SPEEDS = [1, 10, 60];
  const AHEAD = 3; // payloads requested in advance while playing
  const MOST_ASKED = 4; // requests at a time: while the viewer drags, moments in between are left out
  const MOST_KEPT = 200;
  const MOST_ROWS = 500000; // of all kept payloads, as those of a large race are large
  const LEAST_KEPT = 8;
  const AGAIN_MS = 2000; // after a failure

  class Replay {
    // end: race seconds of the newest tick. onChange() is called when the state changes, onEnd() when playback
    // has reached the end.
    constructor(layer, end, { onChange, onEnd }) {
      this._layer = layer;
      this._interval = layer.options.interval;
      this._end = end;
      this._onChange = onChange;
      this._onEnd = onEnd;
      this._time = 0;
      this._speed = SPEEDS[1];
      this._isOpen = false; // a moment is shown, or will be
      this._playing = false;
      this._seen = null; // performance.now() of the last frame
      this._payloads = new Map(); // by race time
      this._asked = new Set(); // race times of pending requests
      this._shown = null; // the race times of the payloads on both sides
      this._trouble = false;
    }

    play(on) {
      if (on && this._time >= this._end) this._time = 0;
      this._playing = on;
      this._seen = null;
      this._layer.redraw();
      this._show();
    }

    setSpeed(speed) {
      this._speed = speed;
      this._shown = null;
      if (this._isOpen) this.seek(this._time);
      else this._onChange();
    }

    seek(time) {
      this._isOpen = true;
      this._time = Math.min(this._end, Math.max(0, time));
      this._seen = null;
      this._layer.redraw();
      this._show();
    }

    // The map shows something else.
    close() {
      this._isOpen = false;
      this._playing = false;
      this._shown = null;
      this._trouble = false;
      this._payloads.clear();
    }

    // The race has gone on until this time.
    extend(end) {
      this._end = Math.max(this._end, end);
    }

    state() {
      const { _time: time, _end: end, _playing: playing, _speed: speed, _trouble: trouble } = this;
      return { time, end, playing, speed, trouble };
    }

    isMoving() {
      return this._playing;
    }

    // Progress between the two shown payloads. The layer calls this once per frame, which advances the time.
    part(now) {
      this._advance(now);
      if (this._shown === null) return 1;
      const [first, second] = this._shown;
      return second > first ? Math.min(1, Math.max(0, (this._time - first) / (second - first))) : 1;
    }

    _advance(now) {
      const since = this._seen === null ? 0 : now - this._seen;
      this._seen = now;
      if (!this._playing || since <= 0) return;
      const wanted = Math.min(this._end, this._time + (since / 1000) * this._speed);
      // Not beyond the known end.
      this._time = this._shown === null ? this._time : Math.min(wanted, Math.max(this._time, this._shown[1]));
      const isOver = this._time >= this._end;
      if (isOver) this._playing = false;
      this._show();
      if (isOver) this._onEnd();
    }

    // Race seconds between two payloads: whole ticks, about a second of playback.
    get _step() {
      return this._interval * Math.max(1, Math.round(this._speed / this._interval));
    }

    _show() {
      if (!this._isOpen) return;
      const isOver = this._time >= this._end;
      const first = isOver ? this._end : Math.floor(this._time / this._step + 1e-9) * this._step;
      const second = Math.min(this._end, first + this._step);
      const ahead = this._playing ? AHEAD : 1;
      for (let nth = 0; nth <= ahead; nth++) this._need(Math.min(this._end, first + nth * this._step));
      const [a, b] = [this._payloads.get(first), this._payloads.get(second)];
      const isShown = this._shown !== null && this._shown[0] === first && this._shown[1] === second;
      if (!isShown && a && b) {
        this._shown = [first, second];
        this._layer.show((field) => field.between(a, b));
      }
      this._onChange();
    }

    _need(time) {
      if (this._payloads.has(time) || this._asked.has(time) || this._asked.size >= MOST_ASKED) return;
      this._asked.add(time);
      this._layer.past(time).then((payload) => this._take(time, payload));
    }

    _take(time, payload) {
      this._trouble = payload === null;
      if (payload === null) {
        setTimeout(() => {
          this._asked.delete(time);
          this._show();
        }, AGAIN_MS);
      } else {
        this._asked.delete(time);
        this._end = Math.max(this._end, payload.end);
        if (this._isOpen) this._keep(time, payload);
      }
      this._show();
      this._layer.redraw();
    }

    // Forgets the oldest; those ahead are the newest.
    _keep(time, payload) {
      this._payloads.set(time, payload);
      const most = Math.max(LEAST_KEPT, Math.min(MOST_KEPT, MOST_ROWS / payload.columns.competitor.length));
      for (const oldest of this._payloads.keys()) {
        if (this._payloads.size <= most) return;
        this._payloads.delete(oldest);
      }
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Replay, SPEEDS });
})();
