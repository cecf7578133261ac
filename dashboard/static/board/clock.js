// The race clock: gun time, ticking at the race's speed between payloads (race_clock.js); before the start, a
// countdown.

const REDRAW_MS = 100;
const DAY_S = 86400;

class Clock {
  // source: what has the newest payload, and when it arrived.
  constructor(root, source = page()) {
    this._page = source;
    const box = put(root, 'div', 'tile clock');
    this._word = put(box, 'span', 'word');
    this._time = put(box, 'strong', 'value');
    this._time.setAttribute('role', 'timer');
    this._startsAt = null; // performance.now() of the gun
    this._clock = null;
    this._timer = setInterval(() => this.draw(), REDRAW_MS);
  }

  // data: status, startsIn (seconds; null from the start on), speed (race seconds per second), tick (seconds).
  update(data) {
    const { speed, tick } = data;
    if (this._data?.speed !== speed || this._data?.tick !== tick) this._clock = new window.Racecast.RaceClock(data);
    this._data = data;
    if (data.startsIn !== null) {
      const at = performance.now() + data.startsIn * 1000;
      // Each message takes its time to arrive: the earliest gun is the best estimate.
      this._startsAt = this._startsAt === null ? at : Math.min(this._startsAt, at);
    }
    this.draw();
  }

  stop() {
    clearInterval(this._timer);
  }

  // The race seconds that it shows; null before the first payload.
  raceTime() {
    return this._clock ? this._clock.time() : null;
  }

  draw() {
    const { payload } = this._page;
    if (!this._data) return;
    this._clock.take(payload, this._page.arrived);
    const { status } = payload || this._data;
    if (status !== 'scheduled') this._show(this._wordFor(status), formatting.raceTime(this._clock.time()));
    else if (this._startsAt !== null) this._show('Starts in', countdown((this._startsAt - performance.now()) / 1000));
  }

  _show(word, time) {
    write(this._word, word);
    this._time.setAttribute('aria-label', word);
    write(this._time, time);
  }

  _wordFor(status) {
    const { speed } = this._data;
    if (status !== 'running') return `Race clock · ${status}`;
    return speed === 1 ? 'Race clock' : `Race clock · ${speed.toLocaleString('en')}× speed`;
  }
}

function countdown(seconds) {
  const left = Math.ceil(Math.max(0, seconds));
  const days = Math.floor(left / DAY_S);
  if (days === 0) return formatting.duration(left);
  return `${days} ${days === 1 ? 'day' : 'days'} ${formatting.raceTime(left % DAY_S)}`;
}
