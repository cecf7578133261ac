// Asks the dashboard for positions, again and again, as often as the page wishes.
//
// It says what it hears and knows nothing of maps. A failure is told and tried again: when the source is
// back, so are the positions.
(function () {
  'use strict';

  const TIMEOUT_MS = 10000;
  const AFTER_FAILURE_MS = 2000;

  class LiveFeed {
    // onPositions(body) gets each new picture, onSilence(sentence) is told when there is none,
    // onAnswer() whenever the source answered, news or not.
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

    // Ask every so many milliseconds from now on; null stops the asking after one last time.
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
        return this._silence('The dashboard does not answer.');
      }
    }

    _silence(sentence) {
      this._onSilence(sentence);
      return false;
    }
  }

  async function sentenceOf(answer) {
    const problem = await answer.json().catch(() => ({}));
    return problem.detail || `The dashboard answered ${answer.status}.`;
  }

  window.Racecast = Object.assign(window.Racecast || {}, { LiveFeed });
})();
