// Arrows on the course in the direction of the race, evenly spaced on the screen at every zoom.
(function () {
  'use strict';

  const { world } = window.Racecast;

  const SPACING_PX = 80;
  const LENGTH_PX = 5;
  const HALF_WIDTH_PX = 4;
  const BEYOND = 1; // of the view's width and height, drawn around it in advance

  const Arrows = L.Layer.extend({
    initialize(course) {
      this._course = course;
    },

    onAdd(map) {
      this._lines = L.polyline([], {
        className: 'course-arrow',
        weight: 2,
        interactive: false,
        smoothFactor: 0,
      }).addTo(map);
      this._draw();
    },

    onRemove() {
      this._lines.remove();
    },

    getEvents() {
      return { zoomend: this._draw, moveend: this._drawIfNeeded };
    },

    _drawIfNeeded() {
      if (!this._drawn.contains(this._map.getBounds())) this._draw();
    },

    _draw() {
      const pixel = 1 / (256 * 2 ** this._map.getZoom());
      const { worldLength, lapDistance } = this._course;
      const count = Math.floor(worldLength / pixel / SPACING_PX);
      this._drawn = this._map.getBounds().pad(BEYOND);
      const arrows = [];
      for (let nth = 0; nth < count; nth++) {
        const spot = this._course.at(((nth + 0.5) / count) * lapDistance, {});
        if (this._drawn.contains(place(spot.x, spot.y))) arrows.push(arrow(spot, pixel));
      }
      this._lines.setLatLngs(arrows);
    },
  });

  // The normal points to the right of the direction.
  function arrow({ x, y, normalX, normalY }, pixel) {
    const [aheadX, aheadY] = [normalY * pixel, -normalX * pixel];
    const corner = (ahead, right) =>
      place(x + aheadX * ahead + normalX * pixel * right, y + aheadY * ahead + normalY * pixel * right);
    const back = -LENGTH_PX / 2;
    return [corner(back, -HALF_WIDTH_PX), corner(-back, 0), corner(back, HALF_WIDTH_PX)];
  }

  function place(x, y) {
    return [world.latitude(y), world.longitude(x)];
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Arrows });
})();
