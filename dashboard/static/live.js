// The layer's data source for a live race: the newest payloads as they arrive.
(function () {
  'use strict';

  const { Glide, LiveFeed, StatusControl } = window.Racecast;

  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  class Live {
    constructor(layer, map) {
      this._layer = layer;
      this._glide = new Glide();
      this._status = new StatusControl().addTo(map);
      this._feed = new LiveFeed(`${layer.options.races}/positions`, {
        onPositions: (payload) => this._show(payload),
        onSilence: (sentence) => this._hush(sentence),
        onAnswer: () => this._hear(),
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
      return this._glide.isOn(now);
    }

    stop() {
      this._feed.stop();
      this._status.remove();
    }

    _show(payload) {
      const now = performance.now();
      const glided = this._glide.part(now);
      const canGlide = this._glide.begin(now, !calm.matches);
      this._layer.show((field) => field.update(payload, canGlide ? glided : null));
    }

    _hush(sentence) {
      this._status.old();
      this._layer.fade(true);
      this._layer.tell('silence', { sentence });
    }

    _hear() {
      this._status.fresh();
      this._layer.fade(false);
      this._layer.tell('answer', {});
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Live });
})();
