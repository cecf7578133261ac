// The course's line in the colours of its density, and wider where it is crowded: also for those who can't tell the
// colours apart, and beside a pack of dots.
(function () {
  'use strict';

  const { world } = window.Racecast;

  const WIDTHS_PX = [6, 14, 20, 26]; // by level; the first is that of the course
  const EDGE_PX = 1.5;

  class DensityLine {
    constructor(map, density) {
      this._course = density.course;
      const line = (className, weight) =>
        L.polyline([], { className, weight, opacity: 1, lineCap: 'butt', interactive: false }).addTo(map);
      // All edges are below all colours, and the most crowded parts on top: laps lie upon each other.
      const edges = WIDTHS_PX.map((width, level) => (level > 0 ? line('density-edge', width + 2 * EDGE_PX) : null));
      const colours = WIDTHS_PX.map((width, level) => line(`density density-${level}`, width));
      this._lines = colours.map((colour, level) => [colour, ...(edges[level] ? [edges[level]] : [])]);
      this._drawn = WIDTHS_PX.map(() => '');
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
  }

  function latLon({ x, y }) {
    return [world.latitude(y), world.longitude(x)];
  }

  window.Racecast = Object.assign(window.Racecast || {}, { DensityLine });
})();
