// The live part of the timeline: the newest payloads as they arrive.
(function () {
  'use strict';

  const { Glide, LiveFeed, StatusControl } = window.Racecast;

  const LONGEST_S = 3; // competitors go on for as long while a payload is late
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  class Live {
    // onPayload(payload) is called with each one, shown or not.
    constructor(layer, map, onPayload) {
      this._layer = layer;
      this._onPayload = onPayload;
      this._glide = new Glide();
      this._newest = null;
      this._isShown = true;
      this._status = new StatusControl().addTo(map);
      this._feed = new LiveFeed(`${layer.options.races}/positions`, {
        stream: `${layer.options.races}/stream`,
        onPayload: (payload) => this._take(payload),
        onSilence: (sentence) => this._hush(sentence),
        onAnswer: () => this._hear(),
        onOutline: (outline) => layer.emit('outline', { outline }),
      });
    }

    // refresh: milliseconds, or null for manual refresh; asked changes with every manual refresh.
    control({ refresh }) {
      this._feed.setEvery(refresh);
    }

    part(now) {
      return this._glide.part(now);
    }

    isMoving(now) {
      return this._glide.isOn(now) || (this._isUnderWay() && this.late(now) < LONGEST_S);
    }

    // Seconds by which the next payload is late, up to the time for which competitors go on without it.
    late(now) {
      return this._isUnderWay() ? this._glide.late(now, LONGEST_S) : 0;
    }

    stop() {
      this._feed.stop();
      this._status.remove();
    }

    // The map shows another moment: payloads go to the page only.
    hide() {
      this._isShown = false;
      this._layer.fade(false);
    }

    // The map shows the newest payload again, at once.
    show() {
      this._isShown = true;
      this._glide = new Glide();
      if (this._newest) this._layer.show((field) => field.update(this._newest, null));
    }

    _take(payload) {
      this._newest = payload;
      if (this._isShown) this._draw(payload);
      this._layer.tookNewest(payload);
      this._onPayload(payload);
    }

    _draw(payload) {
      const now = performance.now();
      const [glided, late] = [this._glide.part(now), this.late(now)];
      const canGlide = this._glide.begin(now, !calm.matches);
      this._layer.show((field) => field.update(payload, canGlide ? glided : null, late));
    }

    // Whether competitors move between payloads.
    _isUnderWay() {
      return this._newest !== null && this._newest.status === 'running' && this._glide.isGliding();
    }

    _hush(sentence) {
      this._status.old();
      if (this._isShown) this._layer.fade(true);
      this._layer.emit('silence', { sentence });
    }

    _hear() {
      this._status.fresh();
      this._layer.fade(false);
      this._layer.emit('answer', {});
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Live });
})();
