// What stands around the race on the map: legend, scale, kilometre marks, and a word when the source is away.
(function () {
  'use strict';

  const LEGEND = { running: 'Running', paused: 'Paused', finished: 'Finished', dnf: 'DNF' };
  const ZOOM = { least: 2, most: 20 };
  const MARK_STEPS_KM = [1, 2, 5, 10, 20, 50];
  const MOST_MARKS = 12; // more only hide the course

  const StatusControl = L.Control.extend({
    options: { position: 'topright' },

    onAdd() {
      this._box = L.DomUtil.create('div', 'race-trouble');
      this._box.setAttribute('role', 'status');
      this._box.hidden = true;
      return this._box;
    },

    trouble(sentence) {
      this._since = this._since || new Date();
      const time = this._since.toLocaleTimeString();
      this._box.textContent = `No new positions since ${time}. ${sentence}`;
      this._box.hidden = false;
    },

    fine() {
      this._since = null;
      this._box.hidden = true;
    },
  });

  const Legend = L.Control.extend({
    options: { position: 'bottomright' },

    onAdd() {
      const box = L.DomUtil.create('div', 'race-legend');
      for (const [status, word] of Object.entries(LEGEND)) {
        const entry = L.DomUtil.create('span', `race-legend-${status}`, box);
        entry.textContent = word;
      }
      return box;
    },
  });

  function addKilometreMarks(map, course, distance) {
    const step = MARK_STEPS_KM.find((km) => distance / (1000 * km) <= MOST_MARKS);
    if (course.laps !== 1 || !step) return;
    const { world } = window.Racecast;
    for (let km = step; km * 1000 < distance; km += step) {
      const { x, y } = course.at(km * 1000, {});
      const icon = L.divIcon({ className: 'kilometre', html: String(km), iconSize: [18, 18] });
      const place = [world.latitude(y), world.longitude(x)];
      L.marker(place, { icon, pane: 'marks', interactive: false, keyboard: false }).addTo(map);
    }
  }

  // streamlit-folium doesn't wait for style sheets, and what is measured without them is in the wrong place.
  function whenStyled(then) {
    const missing = [...document.querySelectorAll('link[rel=stylesheet]')].filter((link) => !link.sheet);
    Promise.all(missing.map((link) => new Promise((done) => (link.onload = link.onerror = done)))).then(then);
  }

  function settle(map) {
    map.invalidateSize();
    map.eachLayer((layer) => layer.getTooltip && layer.getTooltip() && layer.getTooltip().update());
  }

  // Puts the live layer and all that belongs to it on the map, and the layer on the window, where the page's
  // wishes and the tests find it.
  function addRace(map, options) {
    map.attributionControl.setPrefix('<a href="https://leafletjs.com" target="_blank">Leaflet</a>');
    map.setMinZoom(ZOOM.least).setMaxZoom(ZOOM.most);
    L.control.scale({ imperial: false }).addTo(map);
    new Legend().addTo(map);
    const layer = new window.Racecast.RaceLayer(options);
    addKilometreMarks(map, layer.course, options.distance);
    window.racecast = layer.addTo(map);
    whenStyled(() => settle(map));
  }

  Object.assign(window.Racecast, { StatusControl, addRace });
})();
