// The race clock: gun time, ticking at the race's speed between payloads; before the start, a countdown.
//
// Each payload says how far the race is at least. The clock runs ahead of the newest one, up to the time that
// usually passes until the next, so it stands still when the data does.

const REDRAW_MS = 100;
const LONGEST_GAP_S = 15; // between two payloads; with longer ones the clock waits
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
    this._taken = null; // the newest payload
    this._timer = setInterval(() => this.draw(), REDRAW_MS);
  }

  // data: status, startsIn (seconds; null from the start on), speed (race seconds per second), tick (seconds).
  update(data) {
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
    return this._data && this._taken ? this._raceTime(this._taken.status) : null;
  }

  draw() {
    const { payload } = this._page;
    if (!this._data) return;
    if (payload !== this._taken) this._take(payload);
    const { status } = payload || this._data;
    if (status !== 'scheduled') this._show(this._wordFor(status), formatting.raceTime(this._raceTime(status)));
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

  _take(payload) {
    const before = this._taken;
    this._taken = payload;
    if (payload === null) return;
    const { time, age } = payload;
    const { speed, tick } = this._data;
    const { arrived } = this._page;
    const isNext = before !== null && before.status === payload.status;
    if (!isNext) this._gap = tick;
    else if (time !== before.time) this._gap = Math.min(LONGEST_GAP_S, (arrived - this._arrived) / 1000);
    if (!isNext || time !== before.time) this._arrived = arrived;
    // The race time at the page's zero. A position's age includes how long it took to arrive.
    const zero = time + speed * (Math.min(age || 0, this._ahead()) - arrived / 1000);
    const isPlausible = isNext && this._zero + (speed * arrived) / 1000 - time <= speed * this._ahead();
    this._zero = isPlausible ? Math.max(this._zero, zero) : zero;
  }

  // Seconds that the clock may be ahead of the newest payload.
  _ahead() {
    return this._data.tick + Math.max(this._gap, this._data.tick);
  }

  _raceTime(status) {
    if (this._taken === null) return null;
    const { time } = this._taken;
    if (status !== 'running') return time;
    const now = this._zero + (this._data.speed * performance.now()) / 1000;
    return Math.max(time, Math.min(now, time + this._data.speed * this._ahead()));
  }
}

function countdown(seconds) {
  const left = Math.ceil(Math.max(0, seconds));
  const days = Math.floor(left / DAY_S);
  if (days === 0) return formatting.duration(left);
  return `${days} ${days === 1 ? 'day' : 'days'} ${formatting.raceTime(left % DAY_S)}`;
}
