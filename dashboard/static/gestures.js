// The map in a page that scrolls: wheel and one finger scroll the page. With Ctrl (⌘ on a Mac) the wheel
// zooms, two fingers move and zoom, and a hint says so. A mouse drags the map as usual.
(function () {
  'use strict';

  const HINT_MS = 1500;
  const SWIPE_PX = 12;
  const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);
  const HINTS = {
    wheel: `Use ${IS_MAC ? '⌘' : 'Ctrl'} + scroll to zoom the map`,
    touch: 'Use two fingers to move the map',
  };
  const NOT_THE_MAP = '.leaflet-control, .leaflet-popup';

  class Gestures {
    constructor(map) {
      this._map = map;
      this._hint = L.DomUtil.create('div', 'map-hint', map.getContainer());
      this._hint.setAttribute('aria-hidden', 'true'); // the keyboard has keys of its own
      this._touch = null;
      map.options.bounceAtZoomLimits = false;
      const box = map.getContainer();
      // Before Leaflet's own listeners, and without preventDefault: the page scrolls.
      box.addEventListener('wheel', (event) => this._wheel(event), { capture: true, passive: true });
      box.addEventListener('pointerdown', ({ pointerType }) => this._drag(pointerType !== 'touch'), true);
      box.addEventListener('touchstart', (event) => this._begin(event), { capture: true, passive: true });
      box.addEventListener('touchmove', (event) => this._swipe(event), { capture: true, passive: true });
    }

    _wheel(event) {
      if (event.ctrlKey || event.metaKey) return this._hide();
      event.stopPropagation();
      if (!event.target.closest(NOT_THE_MAP)) this._show('wheel');
    }

    _drag(isAllowed) {
      const { dragging } = this._map;
      if (isAllowed !== dragging.enabled()) dragging[isAllowed ? 'enable' : 'disable']();
    }

    _begin({ touches, target }) {
      const isOne = touches.length === 1 && !target.closest(NOT_THE_MAP);
      this._touch = isOne ? { x: touches[0].clientX, y: touches[0].clientY } : null;
      if (touches.length > 1) this._hide();
    }

    _swipe({ touches }) {
      if (!this._touch || touches.length !== 1) return;
      const { clientX, clientY } = touches[0];
      if (Math.hypot(clientX - this._touch.x, clientY - this._touch.y) > SWIPE_PX) this._show('touch');
    }

    _show(kind) {
      this._hint.textContent = HINTS[kind];
      this._hint.classList.add('shown');
      clearTimeout(this._timer);
      this._timer = setTimeout(() => this._hide(), HINT_MS);
    }

    _hide() {
      clearTimeout(this._timer);
      this._hint.classList.remove('shown');
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Gestures });
})();
