// The two feeds of the announcer board: what is decided at the finish, pushed with each tick, and who comes next.
//
// Both are small. Neither passes its payloads to the other parts of the page: they are no pictures of the race.

const REFRESH_EVERY_MS = 1000;
const SOONEST_MS = 1000; // between two questions who comes next
const COMING_AGAIN_MS = 5000; // after a failure
const COMING_TIMEOUT_MS = 60000; // forecasts of a large race take a while
const COMING_FOR_MS = 120000; // after which nothing is said of who comes next without another answer
const IDLE_MS = 10000; // between two questions while no one can come

class BoardFeeds {
  // onNews() is called when one of the attributes has changed.
  constructor(run, races, { rank, point }, onNews) {
    this.payload = null; // the newest of the route honours
    this.arrived = null; // performance.now() of it
    this.silence = null; // {since, sentence} while there is no response
    this._newest = null; // of the route coming
    this._newestAt = null; // performance.now() of the last answer that confirmed it
    this._onNews = onNews;
    this._coming = `${races}/coming?rank=${rank}&point=${encodeURIComponent(point)}`;
    this._isStopped = false;
    this._isAsking = false;
    this._feed = new window.Racecast.LiveFeed(`${races}/honours?rank=${rank}`, {
      stream: `${races}/stream?pictures=none`,
      onPayload: (payload) => this._take(payload),
      onSilence: (sentence) => this._hush(sentence),
      onAnswer: () => this._hush(null),
      onOutline: (outline) => {
        window.dispatchEvent(new CustomEvent('racecast:outline', { detail: { run, outline } }));
      },
    });
    this._feed.setEvery(REFRESH_EVERY_MS);
    this._whenVisible = () => document.hidden || this._ask();
    document.addEventListener('visibilitychange', this._whenVisible);
    this._ask();
  }

  stop() {
    this._isStopped = true;
    clearTimeout(this._timer);
    this._feed.stop();
    document.removeEventListener('visibilitychange', this._whenVisible);
  }

  // The newest of the route coming, while it is not too old.
  get coming() {
    return this._newest && performance.now() - this._newestAt < COMING_FOR_MS ? this._newest : null;
  }

  // Age of the newest position in seconds, or null before the first.
  age() {
    if (this.payload === null || this.payload.age === null) return null;
    return Math.max(0, this.payload.age + (performance.now() - this.arrived) / 1000);
  }

  _take(payload) {
    const isOther = this.payload === null || this.payload.status !== payload.status;
    this.payload = payload;
    this.arrived = performance.now();
    if (isOther) this._ask();
    this._onNews();
  }

  _hush(sentence) {
    if (sentence === null) this.silence = null;
    else this.silence = { since: this.silence ? this.silence.since : new Date(), sentence };
    this._onNews();
  }

  // Whether there can be forecasts, as far as that is known.
  _isOn() {
    return this.payload === null || this.payload.status === 'running' || this.payload.status === 'paused';
  }

  async _ask() {
    if (this._isAsking || this._isStopped) return;
    this._isAsking = true;
    clearTimeout(this._timer);
    let again = COMING_AGAIN_MS;
    try {
      const seen = this._newest ? `&seen=${this._newest.version}` : '';
      const answer = await fetch(this._coming + seen, {
        cache: 'no-store',
        signal: AbortSignal.timeout(COMING_TIMEOUT_MS),
      });
      if (answer.status === 200) this._newest = await answer.json();
      if (answer.ok) {
        this._newestAt = performance.now();
        again = this._isOn() ? Math.max(SOONEST_MS, this._newest.again * 1000) : IDLE_MS;
      }
    } catch (_error) {
      // The dashboard does not respond; the other feed says so.
    }
    this._isAsking = false;
    if (this._isStopped) return;
    this._onNews();
    if (!document.hidden) this._timer = setTimeout(() => this._ask(), again);
  }
}
