// Elements around the race on the map: legend, scale, and a notice when the source is unavailable; and what
// the map's script calls.
(function () {
  'use strict';

  const { Arrows, Below, CourseLine, CourseProfile, Gestures, Labels, StreetMap, WholeCourse } = window.Racecast;
  const { formatting, categoryColour, levelNames } = window.Racecast;

  const REST = categoryColour(Infinity);
  const narrow = window.matchMedia('(max-width: 480px)'); // as in map.css
  const USUAL = ['running', 'paused', 'finished']; // in the legend even with no such competitor

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
      this._box.textContent = `No new positions since ${formatting.clock(new Date())}`;
      this._box.hidden = false;
    },

    fresh() {
      this._box.hidden = true;
    },
  });

  const Legend = L.Control.extend({
    options: { position: 'bottomright' },

    // On a phone it is closed at first, as it would cover the course.
    onAdd(map) {
      const frame = L.DomUtil.create('details', 'race-legend');
      frame.open = !narrow.matches;
      frame.addEventListener('toggle', () => map.fire('controls'));
      L.DomUtil.create('summary', '', frame).textContent = 'Colours';
      this._box = L.DomUtil.create('div', 'race-legend-colours', frame);
      if (this.options.density) explainDensity(frame, this.options.density);
      L.DomEvent.disableClickPropagation(frame);
      this._shown = undefined;
      this.show(null, []);
      return frame;
    },

    // Explains the colours of these statuses and of the usual ones if they are possible, or of these
    // categories, if any are given.
    show(categories, statuses, possible = USUAL) {
      const entries = categories ? categoryEntries(categories) : statusEntries(statuses, possible);
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

  function explainDensity(frame, { every }) {
    const box = L.DomUtil.create('div', 'race-legend-colours race-legend-density', frame);
    const quantity = L.DomUtil.create('b', '', box);
    quantity.textContent = every > 1 ? `Runners/m², estimated from 1 in ${every}` : 'Runners/m²';
    levelNames().forEach((word, level) => {
      const entry = L.DomUtil.create('span', '', box);
      entry.style.setProperty('--colour', `var(--density-${level})`);
      entry.textContent = word;
    });
  }

  // Leaflet writes the scale in every frame of a pan, and the browser lays out the page for it.
  const Scale = L.Control.Scale.extend({
    _updateScale(scale, text, ratio) {
      scale.style.width = `${Math.round(this.options.maxWidth * ratio)}px`;
      if (scale.textContent !== text) scale.textContent = text;
    },
  });

  function categoryEntries(categories) {
    const entries = categories.map((word, nth) => [categoryColour(nth), word]);
    const own = entries.filter(([colour]) => colour !== REST);
    return own.length < entries.length ? [...own, [REST, 'Others']] : own;
  }

  function statusEntries(statuses, possible) {
    const shown = [...statuses, ...USUAL.filter((name) => possible.includes(name))];
    return Object.entries(formatting.STATUS).filter(([name]) => shown.includes(name));
  }

  // streamlit-folium doesn't wait for style sheets, and anything measured without them is misplaced.
  function whenStyled(then) {
    const missing = [...document.querySelectorAll('link[rel=stylesheet]')].filter((link) => !link.sheet);
    Promise.all(missing.map((link) => new Promise((done) => (link.onload = link.onerror = done)))).then(then);
  }

  // Leaflet's buttons are links, which the space bar doesn't press.
  function pressBySpace(event) {
    const button = event.key === ' ' && event.target.closest('.leaflet-bar [role=button]');
    if (!button) return;
    event.preventDefault();
    button.click();
  }

  let streetMap = null;

  // Elements of any map of a course, with or without a race. Returns its view of the whole course.
  function furnish(map, { bounds, tiles, viewer, density }) {
    formatting.use(viewer);
    map.attributionControl.setPrefix('<a href="https://leafletjs.com" target="_blank">Leaflet</a>');
    new Gestures(map);
    map.getContainer().addEventListener('keydown', pressBySpace);
    const view = new WholeCourse(map, density && !narrow.matches ? 1 : 0);
    if (bounds) view.set(bounds);
    streetMap = new StreetMap(map, tiles);
    return view;
  }

  // Returns the density of a race with crowding and the line that shows it, or null.
  function drawDensity(map, { line, distance, density: crowding }) {
    const { Density, DensityLine } = window.Racecast;
    if (!crowding || line.length < 2) return null;
    const density = new Density(new CourseLine(line, distance), crowding);
    const shown = new DensityLine(map, density);
    return {
      density,
      count(field) {
        density.count(field);
        shown.show(density.parts());
      },
    };
  }

  // Returns the labels, or null without a course.
  function drawCourse(map, { line, distance, labels: texts }) {
    if (line.length < 2) return null;
    const course = new CourseLine(line, distance);
    new Arrows(course).addTo(map);
    return new Labels(course, distance, texts).addTo(map);
  }

  // What depends on all others: the first control at the bottom is the lowest, and labels keep clear of all.
  function complete(map, labels) {
    const isMetric = formatting.unit().name === 'km';
    new Scale({ metric: isMetric, imperial: !isMetric }).addTo(map);
    whenStyled(() => {
      map.invalidateSize();
      streetMap.followTheme();
      if (labels) labels.arrange();
    });
  }

  function addCourse(map, options) {
    const { line, distance, altitudes } = options;
    furnish(map, options);
    complete(map, drawCourse(map, options));
    if (!altitudes) return;
    keepDrawn(map, new CourseProfile(new Below(map), new CourseLine(line, distance, altitudes), options));
  }

  // In every size and theme; Streamlit sends a new theme as another style sheet.
  function keepDrawn(map, profile) {
    const draw = () => {
      profile.prepare();
      profile.draw();
    };
    whenStyled(draw);
    map.on('resize', draw);
    new MutationObserver(draw).observe(document.head, { childList: true });
  }

  // Adds the race and its controls to the map, and exposes the layer on the window for the tests.
  function addRace(map, options) {
    const { RaceLayer } = window.Racecast;
    // Without a timeline it fills a wall or a frame, and buttons for the view would only take room.
    document.body.classList.toggle('bare', !options.hasTimeline);
    const below = new Below(map);
    const legend = new Legend({ density: options.density }).addTo(map);
    const view = furnish(map, options);
    const crowding = drawDensity(map, options); // below the arrows
    const labels = drawCourse(map, options);
    window.racecast = new RaceLayer({ ...options, legend, view, labels, below, crowding }).addTo(map);
    complete(map, labels);
  }

  // The viewer's choices, now and with every change; see `MapOptions` in race_map.py.
  function control(choices) {
    streetMap.show(choices.streets);
    if (window.racecast) window.racecast.control(choices);
  }

  Object.assign(window.Racecast, { StatusControl, addCourse, addRace, control });
})();
