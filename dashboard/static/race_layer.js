// The race on the map: every competitor as a dot on one canvas, live or replayed.
//
// The canvas is created once. A frame is drawn only while dots move or the map does; panning and zooming
// never wait for a payload, and a payload never changes the view.
(function () {
  'use strict';

  const { CourseLine, NoCourse, Field, Dots, Crowd, Inspector, Trails, stretch, world } = window.Racecast;

  const TILE_PX = 256; // the world's width at zoom 0, as Leaflet has it
  const SLOW_MS = 12; // of the 16 ms of a frame
  const LEADERS = 3; // leaders marked with their place
  const LABEL_FONT_PX = 11;
  const TRAIL_STEP_M = 10;
  const TRAIL_WIDTH_PX = 4;

  const RaceLayer = L.Layer.extend({
    initialize(options) {
      L.setOptions(this, options);
      const { line, distance } = options;
      this.course = line.length > 1 ? new CourseLine(line, distance) : new NoCourse();
      this._field = new Field(this.course);
      this._names = { count: -1, asked: false, byBib: new Map(), categories: [] };
      this._choices = { colour: 'status', favourites: [] };
      this._spot = { x: 0, y: 0, distance: 0 };
      this._frame = null;
      this._took = 0;
      this._zooming = false;
    },

    onAdd(map) {
      this._canvas = L.DomUtil.create('canvas', 'leaflet-zoom-animated', this.getPane('field'));
      this._context = this._canvas.getContext('2d');
      this._dots = new Dots(this._canvas);
      this._crowd = new Crowd();
      this._trails = new Trails((time) => this.past(time));
      this._inspector = new Inspector(this, map);
      this._source = new window.Racecast[this.options.source](this, map);
      this._showBib = ({ detail }) => this._inspector.open(detail.bib);
      window.parent.addEventListener('racecast:show', this._showBib);
      this.redraw();
    },

    onRemove() {
      window.parent.removeEventListener('racecast:show', this._showBib);
      this._source.stop();
      this._inspector.stop();
      clearTimeout(this._pause);
      cancelAnimationFrame(this._frame);
      this._canvas.remove();
    },

    getEvents() {
      return {
        move: this.redraw,
        resize: this.redraw,
        viewreset: this._endZoom,
        zoomend: this._endZoom,
        moveend: this._endZoom,
        zoomanim: this._animateZoom,
      };
    },

    // The page's choices: refresh (milliseconds or null), asked, colour ('status' or 'category'), favourites
    // (bibs). Called again with every change.
    control(choices) {
      this._choices = { ...this._choices, ...choices };
      this._trails.set(this._choices.favourites);
      this._source.control(this._choices);
      this._prepareDots();
      this.redraw();
    },

    // A new payload: `take` puts it into the field.
    show(take) {
      const isFirst = this._field.payloads === 0;
      take(this._field);
      const { payload } = this._field;
      if (isFirst && this.options.line.length === 0) this._lookAt(payload.columns);
      this._prepareDots();
      this._inspector.refresh();
      this._needNames(payload.names);
      if (payload.figures) this._tookNewest(payload);
      this.redraw();
    },

    // Passes events to the page around the map's frame, where leaderboard and figures use the same payloads.
    tell(kind, detail) {
      const page = window.parent;
      page.dispatchEvent(new page.CustomEvent(`racecast:${kind}`, { detail: { run: this.options.run, ...detail } }));
    },

    // Whether the data is old: then the positions shown are no longer current.
    fade(isOld) {
      this._canvas.classList.toggle('old', isOld);
    },

    // A frame is followed by a pause as long as its drawing time, so that other programs get half of the
    // machine.
    redraw() {
      if (this._frame !== null) return;
      const pause = this._took > SLOW_MS ? this._took : 0;
      const draw = () => {
        this._frame = requestAnimationFrame(() => this._draw());
      };
      this._frame = -1;
      if (pause > 0) this._pause = setTimeout(draw, pause);
      else draw();
    },

    // The current positions of the dots, for the tests: a canvas has no elements to query.
    positions() {
      const part = this._source.part(performance.now());
      return this._field.competitors.map((one) => {
        const { x, y, distance } = this._field.place(one, part, this._spot);
        return {
          competitor: one.bib,
          lon: world.longitude(x),
          lat: world.latitude(y),
          distance,
          status: this._field.statuses[one.data.status],
          place: one.data.place,
        };
      });
    },

    // The canvas's content besides the dots, as text for screen readers.
    shown() {
      return {
        leaders: this._leaders().map(({ bib }) => bib),
        trails: this._trails.starts().map(({ bib, from }) => ({ bib, from, to: this._distance(bib) })),
        followed: this._inspector.followed,
        inspected: this._inspector.shown,
        colour: this._categories() ? 'category' : 'status',
      };
    },

    isGliding() {
      return this._source.isMoving(performance.now()) || this._frame !== null;
    },

    // Number of payloads received.
    payloads() {
      return this._field.payloads;
    },

    // The source of the payloads: `Live` or `Replay`.
    source() {
      return this._source;
    },

    latLng(bib) {
      const one = this._field.competitor(bib);
      if (!one) return null;
      const { x, y } = this._field.place(one, this._source.part(performance.now()), this._spot);
      return L.latLng(world.latitude(y), world.longitude(x));
    },

    // The bib of the dot nearest to a point of the map's frame, if one is near enough.
    nearest(point, reach) {
      const part = this._source.part(performance.now());
      const { scale, corner } = this._projection();
      let found = null;
      let least = reach * reach;
      for (const one of this._field.competitors) {
        const { x, y } = this._field.place(one, part, this._spot);
        const off = (x * scale - corner.x - point.x) ** 2 + (y * scale - corner.y - point.y) ** 2;
        if (off <= least) [found, least] = [one.bib, off];
      }
      return found;
    },

    nameOf(bib) {
      const known = this._names.byBib.get(bib);
      return known && known.name ? known.name : `Bib ${bib}`;
    },

    factsOf(bib) {
      const one = this._field.competitor(bib);
      if (!one) return { place: 0, status: 'unknown', distance: null, elapsed: null, start: 0, category: '', club: '' };
      const known = this._names.byBib.get(bib);
      return {
        ...one.data,
        status: this._field.statuses[one.data.status],
        category: known ? this._names.categories[known.category] : '',
        club: known ? known.club : '',
      };
    },

    // Whether this is a live payload and not one from the past.
    _tookNewest(payload) {
      this._trails.add(payload).then(() => this.redraw());
      this._occupy(payload.fences);
      this.tell('payload', { payload });
    },

    // Requests the names when the number of known ones changes; past payloads don't say.
    async _needNames(count) {
      const known = this._names.count;
      if (this._names.asked || count === known || (count === undefined && known >= 0)) return;
      this._names.asked = true;
      const list = await this._ask('competitors');
      this._names.asked = false;
      if (!list) return;
      const byBib = new Map();
      list.competitor.forEach((bib, nth) => {
        byBib.set(bib, { name: list.name[nth], category: list.category[nth], club: list.club[nth] || '' });
      });
      this._names = { count: list.names, asked: false, byBib, categories: list.categories };
      this.tell('names', { names: this._names });
      this._prepareDots();
      this._inspector.refresh();
      this.redraw();
    },

    // The payload at a race time, or null.
    past(time) {
      return this._ask(`positions?at=${time.toFixed(6)}`);
    },

    // A response about this race, or null if the request failed.
    async _ask(what) {
      try {
        const answer = await fetch(`${this.options.races}/${what}`, { cache: 'no-store' });
        return answer.ok ? await answer.json() : null;
      } catch (_error) {
        return null;
      }
    },

    // Geofences with competitors inside are highlighted and show their number.
    _occupy(fences) {
      const frame = this._map.getContainer();
      fences.forEach(({ inside }, nth) => {
        for (const outline of frame.querySelectorAll(`.fence-${nth}`)) {
          outline.classList.toggle('occupied', inside > 0);
        }
        const label = frame.querySelector(`.fence-label-${nth}`);
        if (label) label.dataset.inside = inside > 0 ? ` · ${inside}` : '';
      });
    },

    _lookAt({ lat, lon }) {
      if (lat.length > 0) this._map.fitBounds(lat.map((_, i) => [lat[i], lon[i]]));
    },

    _categories() {
      return this._choices.colour === 'category' && this._names.categories.length > 0 ? this._names.categories : null;
    },

    _statusesThere() {
      const there = new Set(this._field.competitors.map(({ data }) => data.status));
      return this._field.statuses.filter((_, nth) => there.has(nth));
    },

    // The theme may have changed as well.
    _prepareDots() {
      if (!this._field.payload) return;
      const categories = this._categories();
      this._dots.prepare(this._field.competitors.length, this._field.statuses, categories);
      this.options.legend.show(categories, this._statusesThere());
    },

    _projection() {
      return { scale: TILE_PX * 2 ** this._map.getZoom(), corner: this._map.getPixelBounds().min };
    },

    _draw() {
      this._frame = null;
      const now = performance.now();
      const part = this._source.part(now);
      this._inspector.keepUp();
      if (!this._zooming) {
        this._cover();
        if (this._field.payload) this._drawField(part);
      }
      this._took = performance.now() - now;
      if (this._source.isMoving(now)) this.redraw();
    },

    // Moves the canvas over the visible area, however the map was moved.
    _cover() {
      const size = this._map.getSize();
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = [Math.round(size.x * ratio), Math.round(size.y * ratio)];
      if (this._canvas.width !== width || this._canvas.height !== height) {
        Object.assign(this._canvas, { width, height });
        this._canvas.style.width = `${size.x}px`;
        this._canvas.style.height = `${size.y}px`;
      }
      L.DomUtil.setPosition(this._canvas, this._map.containerPointToLayerPoint([0, 0]));
      this._view = { center: this._map.getCenter(), zoom: this._map.getZoom() };
      this._context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this._context.clearRect(0, 0, size.x, size.y);
    },

    _drawField(part) {
      const view = { ...this._projection(), size: this._map.getSize() };
      this._drawTrails(part, view);
      if (this._dots.colours) this._drawCrowd(part, view);
      else this._drawSprites(part, view);
      this._drawFavourites(part, view);
      this._leaders().forEach((one) => this._drawLeader(one, part, view));
      this._ring(this._inspector.shown, part, view);
    },

    _drawSprites(part, view) {
      const { halo, sprites } = this._dots;
      // All halos below all dots; otherwise a pack's halos would cover its dots.
      this._drawDots(part, view, () => halo);
      this._drawDots(part, view, (one) => sprites[this._kindOf(one)]);
    },

    _drawCrowd(part, { scale, corner }) {
      const ratio = window.devicePixelRatio || 1;
      const { colours, radius } = this._dots;
      this._crowd.begin(this._canvas.width, this._canvas.height, radius * ratio);
      for (const one of this._field.competitors) {
        const { x, y } = this._field.place(one, part, this._spot);
        const colour = colours[this._kindOf(one)];
        this._crowd.dot((x * scale - corner.x) * ratio, (y * scale - corner.y) * ratio, colour);
      }
      this._crowd.end(this._context);
    },

    // The colour index of a competitor: by status or by category.
    _kindOf(one) {
      if (!this._categories()) return one.data.status;
      const known = this._names.byBib.get(one.bib);
      return known ? known.category : this._names.categories.length - 1;
    },

    _drawDots(part, { scale, corner, size }, spriteOf) {
      const { width } = this._dots;
      const half = width / 2;
      for (const one of this._field.competitors) {
        const { x, y } = this._field.place(one, part, this._spot);
        const left = x * scale - corner.x - half;
        const top = y * scale - corner.y - half;
        if (left > -width && top > -width && left < size.x && top < size.y) {
          this._context.drawImage(spriteOf(one), left, top, width, width);
        }
      }
    },

    // The first competitors with a place, in order.
    _leaders() {
      const { competitor, place } = this._field.payload.columns;
      const found = [];
      for (let row = 0; row < competitor.length && found.length < LEADERS; row++) {
        if (place[row] > 0) found.push(this._field.competitor(competitor[row]));
      }
      return found;
    },

    _drawLeader(one, part, view) {
      const at = this._pixel(one, part, view);
      const radius = Math.max(this._dots.radius + 2, 8);
      this._disc(at, radius + 1.5, this._dots.paper);
      this._disc(at, radius, this._dots.ink);
      this._text(String(one.data.place), at.x, at.y, this._dots.paper, 'center');
    },

    _drawFavourites(part, view) {
      for (const bib of this._choices.favourites) {
        this._ring(bib, part, view);
        const one = this._field.competitor(bib);
        if (one) this._label(this.nameOf(bib), this._pixel(one, part, view));
      }
    },

    _drawTrails(part, view) {
      for (const { bib, from } of this._trails.starts()) {
        const one = this._field.competitor(bib);
        if (!one) continue;
        const { distance } = this._field.place(one, part, this._spot);
        this._context.beginPath();
        for (const { x, y } of stretch(this.course, from, distance, TRAIL_STEP_M)) {
          this._context.lineTo(x * view.scale - view.corner.x, y * view.scale - view.corner.y);
        }
        const { x, y } = this._pixel(one, part, view);
        this._context.lineTo(x, y);
        Object.assign(this._context, {
          strokeStyle: this._dots.accent,
          lineWidth: TRAIL_WIDTH_PX,
          lineCap: 'round',
          lineJoin: 'round',
          globalAlpha: 0.8,
        });
        this._context.stroke();
        this._context.globalAlpha = 1;
      }
    },

    _pixel(one, part, { scale, corner }) {
      const { x, y } = this._field.place(one, part, this._spot);
      return { x: x * scale - corner.x, y: y * scale - corner.y };
    },

    _distance(bib) {
      const one = this._field.competitor(bib);
      return one ? this._field.place(one, this._source.part(performance.now()), this._spot).distance : null;
    },

    _ring(bib, part, view) {
      const one = bib === null ? null : this._field.competitor(bib);
      if (!one) return;
      const { x, y } = this._pixel(one, part, view);
      this._context.beginPath();
      this._context.arc(x, y, this._dots.radius + 4, 0, 2 * Math.PI);
      Object.assign(this._context, { strokeStyle: this._dots.accent, lineWidth: 3 });
      this._context.stroke();
    },

    _disc({ x, y }, radius, colour) {
      this._context.beginPath();
      this._context.arc(x, y, radius, 0, 2 * Math.PI);
      this._context.fillStyle = colour;
      this._context.fill();
    },

    // A label beside a dot, legible on any background.
    _label(text, { x, y }) {
      const left = x + this._dots.radius + 7;
      this._font('left');
      Object.assign(this._context, { strokeStyle: this._dots.paper, lineWidth: 4, lineJoin: 'round' });
      this._context.strokeText(text, left, y);
      this._text(text, left, y, this._dots.ink, 'left');
    },

    _text(text, x, y, colour, align) {
      this._font(align);
      this._context.fillStyle = colour;
      this._context.fillText(text, x, y + 0.5);
    },

    _font(align) {
      const font = `600 ${LABEL_FONT_PX}px sans-serif`;
      Object.assign(this._context, { font, textAlign: align, textBaseline: 'middle' });
    },

    // The map scales smoothly to a new zoom, and the canvas with it, as an image.
    _animateZoom({ center, zoom }) {
      if (!this._view) return;
      this._zooming = true;
      const map = this._map;
      const scale = map.getZoomScale(zoom, this._view.zoom);
      const half = map.getSize().divideBy(2);
      const panned = L.DomUtil.getPosition(map.getPane('mapPane'));
      const origin = map.project(center, zoom).subtract(half).add(panned).round();
      const corner = map.project(this._view.center, zoom).subtract(half.multiplyBy(scale));
      L.DomUtil.setTransform(this._canvas, corner.subtract(origin), scale);
    },

    _endZoom() {
      this._zooming = false;
      this.redraw();
    },
  });

  window.Racecast.RaceLayer = RaceLayer;
})();
