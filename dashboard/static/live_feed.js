// Polls the dashboard for payloads at the page's interval.
//
// It reports responses and knows nothing of maps. Failures are reported and retried, so positions resume when
// the source is back.
(function () {
  'use strict';

  const TIMEOUT_MS = 10000;
  const AFTER_FAILURE_MS = 2000;

  class LiveFeed {
    // onPositions(body) gets each new payload, onSilence(sentence) is called on failure, onAnswer() on every
    // response, new data or not.
    constructor(address, { onPositions, onSilence, onAnswer }) {
      this._address = address;
      this._onPositions = onPositions;
      this._onSilence = onSilence;
      this._onAnswer = onAnswer;
      this._seen = '';
      this._every = null;
      this._timer = null;
      this._asking = false;
      this._stopped = false;
      this._whenVisible = () => document.hidden || this.ask();
      document.addEventListener('visibilitychange', this._whenVisible);
    }

    // Poll at this interval in milliseconds; null stops after one last request.
    setEvery(milliseconds) {
      this._every = milliseconds;
      this.ask();
    }

    stop() {
      this._stopped = true;
      clearTimeout(this._timer);
      document.removeEventListener('visibilitychange', this._whenVisible);
    }

    async ask() {
      if (this._asking || this._stopped) return;
      this._asking = true;
      clearTimeout(this._timer);
      const begun = performance.now();
      const heard = await this._once();
      this._asking = false;
      if (this._every === null || document.hidden || this._stopped) return;
      const pause = heard ? this._every : Math.max(this._every, AFTER_FAILURE_MS);
      this._timer = setTimeout(() => this.ask(), begun + pause - performance.now());
    }

    async _once() {
      try {
        const answer = await fetch(`${this._address}?seen=${encodeURIComponent(this._seen)}`, {
          cache: 'no-store',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        if (!answer.ok) return this._silence(await sentenceOf(answer));
        if (answer.status !== 204) {
          const body = await answer.json();
          this._seen = body.version;
          this._onPositions(body);
        }
        this._onAnswer();
        return true;
      } catch (_error) {
        return this._silence('The dashboard does not respond.');
      }
    }

    _silence(sentence) {
      this._onSilence(sentence);
      return false;
    }
  }

  async function sentenceOf(answer) {
    const problem = await answer.json().catch(() => ({}));
    return problem.detail || `The dashboard responded with status ${answer.status}.`;
  }

  window.Racecast = Object.assign(window.Racecast || {}, { LiveFeed });
})();
