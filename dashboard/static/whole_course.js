// The view of the whole course: what the map shows at first, what its button returns to, and what keeps the
// viewer from getting lost in the rest of the world.
(function () {
  'use strict';

  const PADDING_PX = 30;
  const BOTTOM_PX = 62; // the legend and the attribution are there
  const ROW_PX = 17; // of the legend
  const MOST_ZOOM = 20;
  const ZOOM_OUT = 1; // levels that one can zoom out from the whole course
  const VISCOSITY = 0.8; // how firmly the edge holds against dragging

  class WholeCourse {
    // rows: of the legend, beyond the first.
    constructor(map, rows = 0) {
      this._map = map;
      this._bottom = BOTTOM_PX + rows * ROW_PX;
      this._bounds = null;
      this._isShown = false; // and not changed by the viewer: then it follows the map's size
      this._isMoving = false;
      map.setMaxZoom(MOST_ZOOM);
      map.options.maxBoundsViscosity = VISCOSITY;
      this._button = new Button(() => this.show()).addTo(map);
      map.on('movestart zoomstart', () => (this._isShown = this._isShown && this._isMoving));
      map.on('resize', () => this._resized());
    }

    // The course, as corners of south-west and north-east.
    set(bounds) {
      this._bounds = L.latLngBounds(bounds);
      this._limit();
      this.show();
    }

    show() {
      if (!this._hasRoom()) return;
      this._isMoving = true;
      this._map.fitBounds(this._bounds, {
        paddingTopLeft: [PADDING_PX, PADDING_PX],
        paddingBottomRight: [PADDING_PX, this._bottom],
        animate: false,
      });
      this._isMoving = false;
      this._isShown = true;
    }

    _hasRoom() {
      const { x, y } = this._map.getSize();
      return this._bounds !== null && x > 2 * PADDING_PX && y > PADDING_PX + this._bottom;
    }

    _resized() {
      this._limit();
      if (this._isShown) this.show();
    }

    // As far as one can zoom out, all of the map is within the limits: so it can always be moved there.
    _limit() {
      if (!this._hasRoom()) return;
      const map = this._map;
      const padding = L.point(2 * PADDING_PX, PADDING_PX + this._bottom);
      const least = Math.max(0, map.getBoundsZoom(this._bounds, false, padding) - ZOOM_OUT);
      const middle = map.project(this._bounds.getCenter(), least);
      const size = map.getSize();
      const corners = [middle.subtract(size), middle.add(size)].map((corner) => map.unproject(corner, least));
      map.setMaxBounds(null);
      map.setMinZoom(least);
      map.setMaxBounds(L.latLngBounds(corners));
    }
  }

  const Button = L.Control.extend({
    options: { position: 'topleft' },

    initialize(onClick) {
      this._onClick = onClick;
    },

    onAdd() {
      const bar = L.DomUtil.create('div', 'leaflet-bar whole-course');
      const link = L.DomUtil.create('a', '', bar);
      Object.assign(link, { href: '#', title: 'Whole course' });
      link.setAttribute('role', 'button');
      link.setAttribute('aria-label', 'Whole course');
      L.DomEvent.disableClickPropagation(bar);
      L.DomEvent.on(link, 'click', (event) => {
        L.DomEvent.preventDefault(event);
        this._onClick();
      });
      return bar;
    },
  });

  window.Racecast = Object.assign(window.Racecast || {}, { WholeCourse });
})();
