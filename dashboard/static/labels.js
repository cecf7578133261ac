// The labels of a course: start, finish, timing points, geofences, and kilometres or miles.
//
// They are placed when the map comes to rest, so that none covers another or a control, and as little of the
// course as possible. What has no room appears when the viewer zooms in.
(function () {
  'use strict';

  const { formatting, placement, world } = window.Racecast;

  const MARK_STEPS = [1, 2, 5, 10, 20, 50, 100];
  const MARK_GAP_PX = 70; // at least, along the course, between two distance marks
  const MARK_OFFSET_PX = 20; // from the course to the middle of a distance mark
  const DOT_PX = 10; // of the dot at start and finish, which no label covers
  const GAP_PX = 9; // from a place to its label
  const MARGIN_PX = 2; // kept free around a label
  const SAMPLE_PX = 6; // along the course, for the part of it that a label covers
  const ROAD_PX = 8; // to each side of it, for a pack
  const MOST_SAMPLES = 4000;
  const OUTSIDE = 1000; // the cost of a box that the map's edge cuts
  const SAME_PLACE_M = 1;
  const REST_MS = 120; // without a move: then the map is at rest

  // The most important kind first.
  const RANKS = ['finish', 'start', 'point', 'fence', 'distance'];

  const Labels = L.Layer.extend({
    // course: a CourseLine; labels: start, finish, fences and points as race_map.py gives them.
    initialize(course, distance, labels) {
      this._course = course;
      this._distance = distance;
      this._entries = [...placesOf(labels), ...pointsOf(course, distance, labels), ...fencesOf(labels)];
      if (course.laps === 1) this._entries.push(...marksOf(course, distance));
      this._entries.sort((a, b) => RANKS.indexOf(a.kind) - RANKS.indexOf(b.kind));
    },

    onAdd(map) {
      for (const entry of this._entries) {
        entry.element = elementOf(entry);
        const icon = L.divIcon({ className: `course-label ${entry.kind}`, html: entry.element, iconSize: [0, 0] });
        entry.marker = L.marker(entry.at, { icon, pane: 'marks', interactive: false, keyboard: false }).addTo(map);
        entry.before = null;
      }
      this._boxes = [];
      this.arrange();
    },

    onRemove() {
      clearTimeout(this._timer);
      this._entries.forEach(({ marker }) => marker.remove());
    },

    getEvents() {
      // Our own event `controls`: they have changed.
      return { zoomend: this.arrange, moveend: this._arrangeAtRest, resize: this.arrange, controls: this.arrange };
    },

    // The boxes of the visible labels, in pixels of the map's frame.
    boxes() {
      const { x, y } = this._map.layerPointToContainerPoint([0, 0]);
      return this._boxes.map((one) => moved(one, x, y));
    },

    // Notes how many competitors are inside each geofence, from a payload.
    occupy(fences) {
      let hasChanged = false;
      for (const { element, fence } of this._entries) {
        if (fence === undefined || !fences[fence]) continue;
        const { inside } = fences[fence];
        const note = inside > 0 ? ` · ${inside.toLocaleString('en')}` : '';
        hasChanged = hasChanged || note.length !== (element.dataset.inside || '').length;
        element.dataset.inside = note;
      }
      if (hasChanged) this.arrange();
    },

    _arrangeAtRest() {
      clearTimeout(this._timer);
      this._timer = setTimeout(() => this.arrange(), REST_MS);
    },

    arrange() {
      clearTimeout(this._timer);
      const map = this._map;
      const size = map.getSize();
      if (!map._loaded || size.x === 0) return;
      const corner = map.containerPointToLayerPoint([0, 0]);
      const view = { left: corner.x, top: corner.y, right: corner.x + size.x, bottom: corner.y + size.y };
      const shown = this._entries.filter((entry) => this._isWanted(entry));
      // First all writing and then all reading: one layout of the page instead of one for each label.
      for (const entry of this._entries) entry.marker.getElement().hidden = !shown.includes(entry);
      for (const entry of shown) {
        entry.element.classList.remove('crowded');
        entry.marker.getElement().classList.remove('bare');
      }
      for (const entry of shown) this._measure(entry);
      const labels = shown.map((entry) => ({ boxes: this._boxesFor(entry), before: entry.before }));
      this._boxes = [];
      const taken = [...this._controls(corner), ...this._ends()];
      const others = taken.length;
      const samples = this._samples(view);
      const chosen = placement.place(labels, taken, (one) => coverCost(one, samples) + viewCost(one, view));
      this._boxes = taken.slice(others);
      shown.forEach((entry, nth) => this._put(entry, labels[nth].boxes[chosen[nth]], chosen[nth]));
    },

    _put(entry, found, chosen) {
      entry.before = chosen;
      entry.element.classList.toggle('crowded', chosen === null);
      entry.marker.getElement().classList.toggle('bare', chosen === null);
      if (chosen === null) return;
      const at = this._map.latLngToLayerPoint(entry.at);
      const [x, y] = [(found.left + found.right) / 2 - at.x, (found.top + found.bottom) / 2 - at.y];
      entry.element.style.transform = `translate(-50%, -50%) translate(${x}px, ${y}px)`;
    },

    _isWanted({ kind, units }) {
      return kind !== 'distance' || units % this._step() === 0;
    },

    // Units between two marks at this zoom.
    _step() {
      const pxPerMetre = (this._course.worldLength * this._scale()) / this._course.lapDistance;
      const gap = formatting.unit().metres * pxPerMetre;
      return MARK_STEPS.find((units) => units * gap >= MARK_GAP_PX) || Infinity;
    },

    _scale() {
      return 256 * 2 ** this._map.getZoom();
    },

    _measure(entry) {
      entry.width = entry.element.offsetWidth + 2 * MARGIN_PX;
      entry.height = entry.element.offsetHeight + 2 * MARGIN_PX;
    },

    _boxesFor({ kind, at, normal, width, height }) {
      const { x, y } = this._map.latLngToLayerPoint(at);
      if (kind === 'distance') {
        return [1, -1, 1.8, -1.8].map((side) => {
          const off = side * MARK_OFFSET_PX;
          return placement.box(x + normal.x * off, y + normal.y * off, width, height);
        });
      }
      const around = placement.around({ x, y }, width, height, GAP_PX);
      if (kind === 'fence') return [placement.box(x, y, width, height), ...around];
      // Start and finish are often in one place: one prefers to be above, the other below.
      if (kind === 'start') return [around[3], ...around.slice(0, 3), ...around.slice(4)];
      if (kind === 'finish') return [around[2], ...around.slice(0, 2), ...around.slice(3)];
      return around;
    },

    _controls({ x, y }) {
      const frame = this._map.getContainer().getBoundingClientRect();
      return [...this._map.getContainer().querySelectorAll('.leaflet-control, .race-moment')]
        .map((one) => one.getBoundingClientRect())
        .filter(({ width, height }) => width > 0 && height > 0)
        .map((one) => moved(one, x - frame.left, y - frame.top));
    },

    // The dots at start and finish.
    _ends() {
      return this._entries
        .filter(({ kind }) => kind === 'start' || kind === 'finish')
        .map(({ at }) => this._map.latLngToLayerPoint(at))
        .map(({ x, y }) => placement.box(x, y, DOT_PX, DOT_PX));
    },

    // Points of the course within the view.
    _samples(view) {
      const { worldLength, lapDistance } = this._course;
      const count = Math.min(MOST_SAMPLES, Math.ceil((worldLength * this._scale()) / SAMPLE_PX));
      const corner = this._map.getPixelOrigin();
      const samples = [];
      const spot = {};
      for (let nth = 0; nth <= count; nth++) {
        const { x, y } = this._course.at((nth * lapDistance) / count, spot);
        const at = { x: x * this._scale() - corner.x, y: y * this._scale() - corner.y };
        if (at.x > view.left && at.x < view.right && at.y > view.top && at.y < view.bottom) samples.push(at);
      }
      return samples;
    },
  });

  function moved({ left, top, right, bottom }, x, y) {
    return { left: left + x, top: top + y, right: right + x, bottom: bottom + y };
  }

  function coverCost({ left, top, right, bottom }, samples) {
    let covered = 0;
    for (const { x, y } of samples) {
      if (x > left - ROAD_PX && x < right + ROAD_PX && y > top - ROAD_PX && y < bottom + ROAD_PX) covered += 1;
    }
    return 2 * covered;
  }

  function viewCost({ left, top, right, bottom }, view) {
    const isInside = left >= view.left && top >= view.top && right <= view.right && bottom <= view.bottom;
    return isInside ? 0 : OUTSIDE;
  }

  // Text that users typed is set as text.
  function elementOf({ text, className }) {
    const element = document.createElement('span');
    element.className = `label-name ${className || ''}`;
    const name = document.createElement('span');
    name.textContent = text;
    name.title = text;
    element.append(name);
    return element;
  }

  function placesOf({ start, finish }) {
    return [
      { kind: 'finish', text: 'Finish', at: finish },
      { kind: 'start', text: 'Start', at: start },
    ];
  }

  // One label for all laps; start and finish have theirs.
  function pointsOf(course, distance, { points }) {
    const seen = [];
    return points
      .filter((point) => point.distance > SAME_PLACE_M && point.distance < distance - SAME_PLACE_M)
      .filter((point) => {
        const inLap = point.distance % course.lapDistance;
        const isNew = !seen.some((other) => Math.abs(other - inLap) < SAME_PLACE_M);
        seen.push(inLap);
        return isNew;
      })
      .map((point) => ({ kind: 'point', text: point.name, ...placeAt(course, point.distance) }));
  }

  function fencesOf({ fences }) {
    return fences.map(({ name, at }, nth) => ({
      kind: 'fence',
      text: name,
      at,
      fence: nth,
      className: `fence-label fence-label-${nth}`,
    }));
  }

  function marksOf(course, distance) {
    const { metres } = formatting.unit();
    const marks = [];
    for (let units = 1; units * metres < distance; units++) {
      marks.push({ kind: 'distance', text: String(units), units, ...placeAt(course, units * metres) });
    }
    return marks;
  }

  function placeAt(course, distance) {
    const { x, y, normalX, normalY } = course.at(distance, {});
    return { at: [world.latitude(y), world.longitude(x)], normal: { x: normalX, y: normalY } };
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Labels });
})();
