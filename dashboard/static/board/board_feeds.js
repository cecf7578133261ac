// The two feeds of the announcer board: what is decided at the finish, pushed with each tick, and who comes next.
//
// Both are small. Neither passes its payloads to the other parts of the page: they are no pictures of the race.

const REFRESH_EVERY_MS = 1000;
const SOONEST_MS = 1000; // between two questions who comes next
const COMING_AGAIN_MS = 5000; // after a failure
const COMING_TIMEOUT_MS = 60000; // forecasts of a large race take a while

class BoardFeeds {
  // onNews() is called when one of the attributes has changed.
  constructor(run, races, { rank, point }, onNews) {
    this.payload = null; // the newest of the route honours
    this.arrived = null; // performance.now() of it
    this.silence = null; // {since, sentence} while there is no response
    this.coming = null; // the newest of the route coming
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

  async _ask() {
    if (this._isAsking || this._isStopped) return;
    this._isAsking = true;
    clearTimeout(this._timer);
    let again = COMING_AGAIN_MS;
    try {
      const seen = this.coming ? `&seen=${this.coming.version}` : '';
      const answer = await fetch(this._coming + seen, {
        cache: 'no-store',
        signal: AbortSignal.timeout(COMING_TIMEOUT_MS),
      });
      if (answer.status === 200) this.coming = await answer.json();
      if (answer.ok && this.coming) again = Math.max(SOONEST_MS, this.coming.again * 1000);
    } catch (_error) {
      // The dashboard does not respond; the other feed says so.
    }
    this._isAsking = false;
    if (this._isStopped) return;
    this._onNews();
    if (!document.hidden) this._timer = setTimeout(() => this._ask(), again);
  }
}
