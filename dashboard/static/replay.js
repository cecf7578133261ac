// The layer's data source for a replay: its own time, and the payloads it needs.
//
// Payloads are requested once each, at even steps of race time, about one per second of playback. Between two
// of them dots glide along the course. Playback pauses while a payload is missing.
(function () {
  'use strict';

  const { ReplayControl } = window.Racecast;

  const SPEEDS = [1, 10, 60];
  const AHEAD = 3; // payloads requested in advance
  const MOST_KEPT = 200;
  const AGAIN_MS = 2000; // after a failure

  class Replay {
    constructor(layer, map) {
      this._layer = layer;
      this._interval = layer.options.interval;
      this._end = layer.options.end;
      this._time = 0;
      this._speed = SPEEDS[1];
      this._playing = false;
      this._seen = null; // performance.now() of the last frame
      this._payloads = new Map(); // by race time: a payload, or a promise of one
      this._shown = null; // the race times of the payloads on both sides
      this._trouble = false;
      this._control = new ReplayControl(SPEEDS, {
        onPlay: () => this.play(!this._playing),
        onSpeed: (speed) => this.setSpeed(speed),
        onSeek: (time) => this.seek(time),
      }).addTo(map);
      this.seek(0);
    }

    control() {}

    stop() {
      this._playing = false;
      this._control.remove();
    }

    play(on) {
      if (on && this._time >= this._end) this._time = 0;
      this._playing = on;
      this._seen = null;
      this._layer.redraw();
      this._say();
    }

    setSpeed(speed) {
      this._speed = speed;
      this._shown = null;
      this.seek(this._time);
    }

    seek(time) {
      this._time = Math.min(this._end, Math.max(0, time));
      this._seen = null;
      this._layer.redraw();
      this._show();
    }

    state() {
      return { time: this._time, end: this._end, playing: this._playing, speed: this._speed };
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
      if (this._time >= this._end) this._playing = false;
      this._show();
    }

    // Race seconds between two payloads: whole ticks, about a second of playback.
    get _step() {
      return this._interval * Math.max(1, Math.round(this._speed / this._interval));
    }

    _show() {
      const isOver = this._time >= this._end;
      const first = isOver ? this._end : Math.floor(this._time / this._step + 1e-9) * this._step;
      const second = Math.min(this._end, first + this._step);
      for (let nth = 0; nth <= AHEAD; nth++) this._need(Math.min(this._end, first + nth * this._step));
      const [a, b] = [this._payloads.get(first), this._payloads.get(second)];
      const isShown = this._shown !== null && this._shown[0] === first && this._shown[1] === second;
      if (!isShown && a && b && a.columns && b.columns) {
        this._shown = [first, second];
        this._layer.show((field) => field.between(a, b));
      }
      this._say();
    }

    _need(time) {
      if (this._payloads.has(time)) return;
      const asking = this._layer.past(time).then((payload) => {
        this._trouble = payload === null;
        if (payload === null) {
          setTimeout(() => {
            this._payloads.delete(time);
            this._show();
          }, AGAIN_MS);
        } else {
          this._payloads.set(time, payload);
          this._end = Math.max(this._end, payload.end);
        }
        this._show();
        this._layer.redraw();
      });
      this._payloads.set(time, asking);
      this._forget();
    }

    // The oldest first; those ahead are the newest.
    _forget() {
      for (const time of this._payloads.keys()) {
        if (this._payloads.size <= MOST_KEPT) return;
        this._payloads.delete(time);
      }
    }

    _say() {
      this._control.say({ ...this.state(), trouble: this._trouble });
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Replay });
})();
