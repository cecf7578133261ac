// Static elements around the race on the map: legend, scale, kilometre marks, and a notice when the source is
// unavailable.
(function () {
  'use strict';

  const { formatting, categoryColour } = window.Racecast;

  const REST = categoryColour(Infinity);
  const ZOOM = { least: 2, most: 20 };
  const MARK_STEPS_KM = [1, 2, 5, 10, 20, 50];
  const MOST_MARKS = 12; // more would hide the course
  const USUAL = ['running', 'paused', 'finished']; // always in the legend, even with no such competitor

  const StatusControl = L.Control.extend({
    options: { position: 'topright' },

    onAdd() {
      this._box = L.DomUtil.create('div', 'race-trouble');
      this._box.setAttribute('role', 'status');
      this._box.hidden = true;
      return this._box;
    },

    // The reason is beside the figures, where there is room.
    old() {
      if (!this._box.hidden) return;
      this._box.textContent = `No new positions since ${new Date().toLocaleTimeString('en-GB')}`;
      this._box.hidden = false;
    },

    fresh() {
      this._box.hidden = true;
    },
  });

  const Legend = L.Control.extend({
    options: { position: 'bottomright' },

    onAdd() {
      this._box = L.DomUtil.create('div', 'race-legend');
      this._shown = undefined;
      this.show(null, []);
      return this._box;
    },

    // Explains the colours of these statuses, or of these categories, if any are given.
    show(categories, statuses) {
      const entries = categories ? categoryEntries(categories) : statusEntries(statuses);
      const shown = JSON.stringify(entries);
      if (this._shown === shown) return;
      this._shown = shown;
      this._box.replaceChildren();
      for (const [colour, word] of entries) {
        const entry = L.DomUtil.create('span', '', this._box);
        entry.style.setProperty('--colour', `var(--${colour})`);
        entry.textContent = word;
      }
    },
  });

  function categoryEntries(categories) {
    const entries = categories.map((word, nth) => [categoryColour(nth), word]);
    const own = entries.filter(([colour]) => colour !== REST);
    return own.length < entries.length ? [...own, [REST, 'Others']] : own;
  }

  function statusEntries(statuses) {
    return Object.entries(formatting.STATUS).filter(([name]) => USUAL.includes(name) || statuses.includes(name));
  }

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

  // streamlit-folium doesn't wait for style sheets, and anything measured without them is misplaced.
  function whenStyled(then) {
    const missing = [...document.querySelectorAll('link[rel=stylesheet]')].filter((link) => !link.sheet);
    Promise.all(missing.map((link) => new Promise((done) => (link.onload = link.onerror = done)))).then(then);
  }

  function settle(map) {
    map.invalidateSize();
    map.eachLayer((layer) => layer.getTooltip && layer.getTooltip() && layer.getTooltip().update());
  }

  // Elements of any course map, with or without a race.
  function furnish(map) {
    map.attributionControl.setPrefix('<a href="https://leafletjs.com" target="_blank">Leaflet</a>');
    map.setMinZoom(ZOOM.least).setMaxZoom(ZOOM.most);
    L.control.scale({ imperial: false }).addTo(map);
    whenStyled(() => settle(map));
  }

  function addCourse(map, { line, distance }) {
    furnish(map);
    if (line.length > 1) addKilometreMarks(map, new window.Racecast.CourseLine(line, distance), distance);
  }

  // Adds the race and its controls to the map, and exposes the layer on the window for the page's choices and
  // the tests.
  function addRace(map, options) {
    const legend = new Legend().addTo(map);
    // First, because the first control at the bottom is the lowest: the replay's bar.
    window.racecast = new window.Racecast.RaceLayer({ ...options, legend }).addTo(map);
    addCourse(map, options);
  }

  Object.assign(window.Racecast, { StatusControl, addCourse, addRace });
})();
