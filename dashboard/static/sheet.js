// A canvas that covers the visible part of the map, however the map is moved.
(function () {
  'use strict';

  class Sheet {
    // pane: the map's pane that it is in.
    constructor(map, pane) {
      this._map = map;
      this.canvas = L.DomUtil.create('canvas', 'sheet leaflet-zoom-animated', map.getPane(pane));
      this.context = this.canvas.getContext('2d');
      this._view = null; // what it covers
    }

    remove() {
      this.canvas.remove();
    }

    // Moves it over the visible area, and clears it.
    cover() {
      const { canvas, context, _map: map } = this;
      const size = map.getSize();
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = [Math.round(size.x * ratio), Math.round(size.y * ratio)];
      if (canvas.width !== width || canvas.height !== height) {
        Object.assign(canvas, { width, height });
        canvas.style.width = `${size.x}px`;
        canvas.style.height = `${size.y}px`;
      }
      L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
      this._view = { center: map.getCenter(), zoom: map.getZoom() };
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, size.x, size.y);
    }

    // The map scales smoothly to a new zoom, and the canvas with it, as an image.
    zoomTo(center, zoom) {
      if (!this._view) return;
      const map = this._map;
      const scale = map.getZoomScale(zoom, this._view.zoom);
      const half = map.getSize().divideBy(2);
      const panned = L.DomUtil.getPosition(map.getPane('mapPane'));
      const origin = map.project(center, zoom).subtract(half).add(panned).round();
      const corner = map.project(this._view.center, zoom).subtract(half.multiplyBy(scale));
      L.DomUtil.setTransform(this.canvas, corner.subtract(origin), scale);
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Sheet });
})();
