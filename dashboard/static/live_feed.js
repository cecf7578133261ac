// Gets payloads from the dashboard: pushed by a stream, requested at a stream's news, or by polling.
//
// It reports responses and knows nothing of maps and lists. As long as a stream is silent or broken it polls, so
// payloads resume at once when the source is back, and arrive where a proxy lets no stream through. A hidden page
// asks for nothing.
(function () {
  'use strict';

  const TIMEOUT_MS = 10000;
  const AFTER_FAILURE_MS = 2000;
  const PATIENCE_MS = 1000; // polling begins after this time if a new stream is silent
  const SILENT_AFTER_MS = 12000; // the dashboard says something every 5 seconds
  const STREAM_AGAIN_MS = [1000, 30000]; // the first and the longest pause; it doubles while streams bring nothing

  class LiveFeed {
    // The address may have a query. onPayload(body) gets each new payload, onSilence(sentence) is called on failure,
    // onAnswer() on every response, new data or not, onOutline(text) when what Streamlit has drawn may be outdated.
    // A stream either brings the payloads or, if its address asks for that, news of them: then they are requested.
    constructor(address, { stream, onPayload, onSilence = () => {}, onAnswer = () => {}, onOutline = () => {} }) {
      this._address = address;
      this._streamed = stream;
      this._onPayload = onPayload;
      this._onSilence = onSilence;
      this._onAnswer = onAnswer;
      this._onOutline = onOutline;
      this._outline = null;
      this._seen = '';
      this._every = null;
      this._timer = null;
      this._asking = false;
      this._news = 0; // how often the stream has said that there is another payload
      this._answered = 0; // how much of that there was when the newest response was requested
      this._stopped = false;
      this._stream = null;
      this._isHeard = false; // whether the stream has brought anything yet
      this._watchdog = null;
      this._again = null;
      this._pause = STREAM_AGAIN_MS[0];
      this._whenVisible = () => this._go();
      document.addEventListener('visibilitychange', this._whenVisible);
    }

    // Take payloads at this interval in milliseconds; null stops after one last request.
    setEvery(milliseconds) {
      if (this._stream && milliseconds === this._every) return;
      this._every = milliseconds;
      this._go();
    }

    stop() {
      this._stopped = true;
      clearTimeout(this._timer);
      this._hangUp();
      document.removeEventListener('visibilitychange', this._whenVisible);
    }

    async ask() {
      if (this._asking || this._stopped) return;
      this._asking = true;
      clearTimeout(this._timer);
      const begun = performance.now();
      const heard = await this._once();
      this._asking = false;
      if (this._every === null || document.hidden || this._stopped || this._isCurrent()) return;
      const pause = this._isHeard ? 0 : this._every; // the stream paces its news
      this._timer = setTimeout(
        () => this.ask(),
        begun + (heard ? pause : Math.max(pause, AFTER_FAILURE_MS)) - performance.now(),
      );
    }

    _go() {
      this._hangUp();
      clearTimeout(this._timer);
      if (document.hidden) return;
      this._listen();
      if (this._stream) this._timer = setTimeout(() => this.ask(), PATIENCE_MS);
      else this.ask();
    }

    // Whether the stream and the responses to its news have brought all there is.
    _isCurrent() {
      return this._isHeard && this._answered === this._news;
    }

    async _once() {
      const news = this._news;
      try {
        const answer = await fetch(this._with(this._address), {
          cache: 'no-store',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        const body = answer.ok && answer.status !== 204 ? await answer.json() : null;
        if (this._isCurrent()) return true; // the stream has brought something newer
        if (!answer.ok) return this._silence(await sentenceOf(answer));
        this._compare(answer.headers.get('Racecast-Outline'));
        if (body) this._take(body);
        this._answered = news;
        this._onAnswer();
        return true;
      } catch (_error) {
        return this._isCurrent() || this._silence('The dashboard does not respond.');
      }
    }

    // Opens a stream; a page whose interval is null wants none.
    _listen() {
      if (this._every === null) return;
      const stream = new EventSource(`${this._with(this._streamed)}&every=${this._every / 1000}`);
      stream.addEventListener('picture', ({ data }) => this._heard(() => this._take(JSON.parse(data))));
      stream.addEventListener('outline', ({ data }) => this._compare(JSON.parse(data).outline));
      stream.addEventListener('news', () => {
        this._news += 1;
        this._heard();
        this.ask();
      });
      stream.addEventListener('same', () => this._heard());
      stream.addEventListener('trouble', ({ data }) => this._heard(null, JSON.parse(data).detail));
      stream.addEventListener('error', () => this._lost());
      this._stream = stream;
      this._watch();
    }

    _heard(take, trouble = null) {
      this._isHeard = true;
      this._pause = STREAM_AGAIN_MS[0];
      this._watch();
      if (!this._isCurrent()) return; // the response will say more
      clearTimeout(this._timer);
      if (trouble !== null) {
        this._silence(trouble);
        return;
      }
      if (take) take();
      this._onAnswer();
    }

    // Polls until another stream, opened after a pause, brings something: not all viewers at the same moment.
    _lost() {
      this._hangUp();
      this._again = setTimeout(() => this._listen(), this._pause * (0.5 + Math.random()));
      this._pause = Math.min(2 * this._pause, STREAM_AGAIN_MS[1]);
      this.ask();
    }

    _hangUp() {
      clearTimeout(this._watchdog);
      clearTimeout(this._again);
      if (this._stream) this._stream.close();
      this._stream = null;
      this._isHeard = false;
    }

    _watch() {
      clearTimeout(this._watchdog);
      this._watchdog = setTimeout(() => this._lost(), SILENT_AFTER_MS);
    }

    _compare(outline) {
      if (outline === null || outline === this._outline) return;
      this._outline = outline;
      this._onOutline(outline);
    }

    _take(body) {
      this._seen = body.version;
      this._onPayload(body);
    }

    _with(address) {
      return `${address}${address.includes('?') ? '&' : '?'}seen=${encodeURIComponent(this._seen)}`;
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
