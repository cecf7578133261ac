// The results of a race, and its start list, for pages whose map doesn't pass them on.

class ResultsFeed {
  // `races` is the prefix of requests about the race; `take` is called with each new payload, `hush` with a sentence
  // while there is no response, and with an empty one when there is.
  constructor(run, races, rank, { take, hush }) {
    Object.assign(this, { _run: run, _races: races });
    this._count = 0; // of names that the store has
    this._isAsking = false;
    this._feed = new window.Racecast.LiveFeed(`${races}/results?rank=${rank}`, {
      stream: `${races}/stream?pictures=none`,
      onPayload: (payload) => {
        this._count = payload.names;
        if (payload.people) page().know(payload.people);
        take(payload);
      },
      onSilence: hush,
      onAnswer: () => {
        hush('');
        this._needNames();
      },
    });
  }

  setEvery(milliseconds) {
    this._feed.setEvery(milliseconds);
  }

  stop() {
    this._feed.stop();
  }

  // Failures are retried with the next response.
  async _needNames() {
    if (this._isAsking || page().names.count === this._count) return;
    this._isAsking = true;
    try {
      const answer = await fetch(`${this._races}/competitors`, { cache: 'no-store' });
      if (answer.ok) this._pass(await answer.json());
    } catch (_error) {
      // The dashboard does not respond; the feed says so.
    } finally {
      this._isAsking = false;
    }
  }

  // To all of the page, as the map does.
  _pass(list) {
    const detail = { run: this._run, names: window.Racecast.namesOf(list) };
    window.dispatchEvent(new CustomEvent('racecast:names', { detail }));
  }
}
