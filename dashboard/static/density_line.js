// The course's line in the colours of its density, and wider where it is crowded, also for those who can't tell the
// colours apart.
//
// A crowd hides the line below it. So from afar, where dots lie upon each other, crowded parts are a line on top of
// them; from near, where each dot has its place, they are a wide band below the dots.
(function () {
  'use strict';

  const { world } = window.Racecast;

  const LINE_PX = 6; // where it isn't crowded: that of the course
  const FAR = { pane: 455, widths: [7, 9, 11] }; // by level, from 1 on; the field's pane is at 450
  const NEAR = { pane: 405, widths: [28, 33, 38] };
  const NEAR_M = 1.2; // metres of a pixel, at most
  const EDGE_PX = 1.5;
  const EARTH_M = 40075016.7; // the equator

  class DensityLine {
    constructor(map, density) {
      this._map = map;
      this._course = density.course;
      const pane = map.createPane('density');
      pane.style.pointerEvents = 'none';
      const line = (className, options = {}) =>
        L.polyline([], { className, opacity: 1, lineCap: 'butt', interactive: false, ...options }).addTo(map);
      // All edges are below all colours, and the most crowded parts on top: laps lie upon each other.
      this._edges = FAR.widths.map(() => line('density-edge', { pane: 'density' }));
      this._colours = FAR.widths.map((_, nth) => line(`density density-${nth + 1}`, { pane: 'density' }));
      const free = line('density density-0', { weight: LINE_PX });
      this._lines = [[free], ...this._colours.map((colour, nth) => [this._edges[nth], colour])];
      this._drawn = this._lines.map(() => '');
      map.on('zoomend', () => this._fit());
      this._fit();
    }

    // Draws the parts of a `Density`.
    show(parts) {
      this._lines.forEach((lines, level) => {
        const own = parts.filter((part) => part.level === level);
        const drawn = JSON.stringify(own);
        if (drawn === this._drawn[level]) return;
        this._drawn[level] = drawn;
        const places = own.map(({ from, to }) => this._course.piece(from, to).map(latLon));
        for (const line of lines) line.setLatLngs(places);
      });
    }

    _fit() {
      const { lat } = this._map.getCenter();
      const metres = (EARTH_M * Math.cos((lat * Math.PI) / 180)) / (256 * 2 ** this._map.getZoom());
      const { pane, widths } = metres <= NEAR_M ? NEAR : FAR;
      this._map.getPane('density').style.zIndex = pane;
      widths.forEach((weight, nth) => {
        this._colours[nth].setStyle({ weight });
        this._edges[nth].setStyle({ weight: weight + 2 * EDGE_PX });
      });
    }
  }

  function latLon({ x, y }) {
    return [world.latitude(y), world.longitude(x)];
  }

  window.Racecast = Object.assign(window.Racecast || {}, { DensityLine });
})();
