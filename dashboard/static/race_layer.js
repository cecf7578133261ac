// The race on the map: every competitor as a dot on one canvas, live or replayed; and above the labels of the course,
// on a second canvas, leaders, favourites and the competitor in the inspector.
//
// The canvases are created once. A frame is drawn only while dots move or the map does; panning and zooming
// never wait for a payload, and a payload never changes the view.
(function () {
  'use strict';

  const { CourseLine, NoCourse, Field, Pack, Dots, Crowd, Annotations } = window.Racecast;
  const { ForecastFeed, Inspector, Profile, Sheet, RaceClock, Timeline, Trails, stretch, world } = window.Racecast;

  const TILE_PX = 256; // the world's width at zoom 0, as Leaflet has it
  const LATE_S = 0.5; // a payload later than that makes the places estimates, which look so
  const SLOW_MS = 12; // of the 16 ms of a frame
  const LEADERS = 3; // leaders marked with their place
  const UNDER_WAY = ['running', 'paused'];
  const TRAIL_STEP_M = 10;
  const TRAIL_WIDTH_PX = 4;

  const RaceLayer = L.Layer.extend({
    initialize(options) {
      L.setOptions(this, options);
      const { line, distance, altitudes } = options;
      this.course = line.length > 1 ? new CourseLine(line, distance, altitudes) : new NoCourse();
      const barriers = [...options.points.map(([, metres]) => metres), distance].sort((a, b) => a - b);
      this._field = new Field(this.course, barriers, options.speed);
      this._pack = new Pack(this.course);
      this._annotations = new Annotations();
      this._names = { count: -1, asked: false, byBib: new Map(), categories: [] };
      this._choices = { colour: 'status', favourites: [] };
      this._isControlled = false;
      this._spot = { x: 0, y: 0, distance: 0 };
      this._frame = null;
      this._took = 0;
      this._zooming = false;
    },

    onAdd(map) {
      this._under = new Sheet(map, 'field');
      this._over = new Sheet(map, 'leaders');
      this._dots = new Dots(this._under.canvas);
      this._crowd = new Crowd();
      this._trails = new Trails((time) => this.past(time));
      this._inspector = new Inspector(this, map);
      const { below, hasTimeline } = this.options;
      this._profile = this.course.distance ? new Profile(below, this) : null;
      this._forecasts = null;
      this._forecastFeed = new ForecastFeed(`${this.options.races}/forecasts`, (found) => this._expect(found));
      this._clock = new RaceClock({ speed: this.options.speed, tick: this.options.interval / this.options.speed });
      this._source = new Timeline(this, map, hasTimeline ? below : null);
      this._showBib = ({ detail }) => this._inspector.open(detail.bib);
      window.parent.addEventListener('racecast:show', this._showBib);
      // The frame is removed without its map: the page's listener would keep all of it in memory.
      window.addEventListener('pagehide', () => this.remove(), { once: true });
      this.redraw();
    },

    onRemove() {
      window.parent.removeEventListener('racecast:show', this._showBib);
      this._source.stop();
      this._inspector.stop();
      this._forecastFeed.stop();
      clearTimeout(this._pause);
      cancelAnimationFrame(this._frame);
      this._under.remove();
      this._over.remove();
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
    // (bibs), follow (a bib or null), moment (race seconds or null), forecasts (whether to request them). Called again with
    // every change.
    control(choices) {
      // Later on, the choices here are newer than those of the page's script.
      if (!this._isControlled) {
        this._inspector.follow(choices.follow);
        this._source.open(choices.moment);
      }
      this._isControlled = true;
      this._choices = { ...this._choices, ...choices };
      this._trails.set(this._choices.favourites);
      this._source.control(this._choices);
      this._forecastFeed.want(this._choices.forecasts, this._choices.refresh === null);
      this._prepareDots();
      this.redraw();
    },

    // A new payload: `take` puts it into the field.
    show(take) {
      const isFirst = this._field.payloads === 0;
      take(this._field);
      const { payload } = this._field;
      if (this.options.crowding) this.options.crowding.count(this._field);
      if (isFirst && this.options.line.length === 0) this._lookAt(payload.columns);
      this._prepareDots();
      this._inspector.refresh();
      this._needNames(payload.names);
      if (!this._source.isLive()) this._occupy([]);
      this.redraw();
    },

    // The newest payload of a live race, whatever the map shows.
    tookNewest(payload) {
      this._needNames(payload.names);
      if (payload.people) this._know(payload.people);
      this._clock.take(payload, performance.now());
      this._forecastFeed.take(payload.status);
      this._trails.add(payload).then(() => this.redraw());
      this._occupy(this._source.isLive() ? payload.fences : []);
      this.emit('payload', { payload });
    },

    // Newer forecasts; null if there are none any more.
    _expect(forecasts) {
      this._forecasts = forecasts;
      this._inspector.refresh();
      this.emit('forecasts', { forecasts });
    },

    // What is expected of a competitor: {next, gun, chip, now}, now in race seconds; null if nothing is, as of all
    // others than the newest moment.
    expectedOf(bib) {
      const one = this._field.competitor(bib);
      if (!one || !this._forecasts || !this._source.isLive()) return null;
      const [gun, chip] = ['gun', 'chip'].map((by) => this._forecasts.finish(bib, by));
      const isUnderWay = UNDER_WAY.includes(this._field.statuses[one.data.status]);
      if (gun === null || !isUnderWay) return null;
      return { next: this._forecasts.next(bib, one.data.distance), gun, chip, now: this._clock.time() };
    },

    // Passes events to the page around the map's frame, where leaderboard and figures use the same payloads.
    emit(kind, detail) {
      const page = window.parent;
      page.dispatchEvent(new page.CustomEvent(`racecast:${kind}`, { detail: { run: this.options.run, ...detail } }));
    },

    // Whether the data is old: then the positions shown are no longer current.
    fade(isOld) {
      this._mark('old', isOld);
    },

    _mark(name, isOn) {
      for (const { canvas } of [this._under, this._over]) canvas.classList.toggle(name, isOn);
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

    // The current positions of the competitors, for the tests: a canvas has no elements to query.
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
        leaders: this.leaders().map(({ bib }) => bib),
        trails: this._trails.starts().map(({ bib, from }) => ({ bib, from, to: this._distance(bib) })),
        followed: this._inspector.followed,
        inspected: this._inspector.shown,
        profile: this._profile && this._profile.shown(),
        colour: this.categories() ? 'category' : 'status',
        density: this.density() && this.density().parts(),
      };
    },

    // How crowded the course is, or null without crowding.
    density() {
      return this.options.crowding && this.options.crowding.density;
    },

    isGliding() {
      return this._source.isMoving(performance.now()) || this._frame !== null;
    },

    // Number of payloads received.
    payloads() {
      return this._field.payloads;
    },

    // The source of the payloads: the timeline.
    source() {
      return this._source;
    },

    latLng(bib) {
      const one = this._field.competitor(bib);
      if (!one) return null;
      const { x, y } = this._spotOf(one, this._source.part(performance.now()));
      return L.latLng(world.latitude(y), world.longitude(x));
    },

    // The bib of the dot nearest to a point of the map's frame, if one is near enough.
    nearest(point, reach) {
      const part = this._source.part(performance.now());
      const { scale, corner } = this._projection();
      let found = null;
      let least = reach * reach;
      for (const one of this._field.competitors) {
        const { x, y } = this._spotOf(one, part);
        const off = (x * scale - corner.x - point.x) ** 2 + (y * scale - corner.y - point.y) ** 2;
        if (off <= least) [found, least] = [one.bib, off];
      }
      return found;
    },

    inspect(bib) {
      this._inspector.open(bib);
    },

    nameOf(bib) {
      const known = this._names.byBib.get(bib);
      return known && known.name ? known.name : `Bib ${bib}`;
    },

    factsOf(bib) {
      const one = this._field.competitor(bib);
      if (!one) return { place: 0, status: 'unknown', distance: null, gun: null, chip: null, category: '', club: '' };
      const known = this._names.byBib.get(bib);
      return {
        ...one.data,
        status: this._field.statuses[one.data.status],
        category: known ? this._names.categories[known.category] : '',
        club: known ? known.club : '',
      };
    },

    // Requests the names when the number of known ones changes; past payloads don't say.
    async _needNames(count) {
      const known = this._names.count;
      if (this._names.asked || count === known || (count === undefined && known >= 0)) return;
      this._names.asked = true;
      const list = await this._ask('competitors');
      this._names.asked = false;
      if (!list) return;
      this._names = { ...window.Racecast.namesOf(list), asked: false };
      if (this._people) this._names = window.Racecast.withNamesOf(this._names, this._people);
      this._passNames();
    },

    // Names that come with a payload: of competitors who are not in its sample.
    _know(people) {
      this._people = people;
      const names = window.Racecast.withNamesOf(this._names, people);
      if (names === this._names) return;
      this._names = names;
      this._passNames();
    },

    _passNames() {
      this.emit('names', { names: this._names });
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

    // Geofences with competitors inside are highlighted and show their number; past payloads don't have it.
    _occupy(known) {
      const frame = this._map.getContainer();
      const fences = this.options.fences.map((_, nth) => known[nth] || { inside: 0 });
      fences.forEach(({ inside }, nth) => {
        for (const outline of frame.querySelectorAll(`.fence-${nth}`)) {
          outline.classList.toggle('occupied', inside > 0);
        }
      });
      if (this.options.labels) this.options.labels.occupy(fences);
    },

    _lookAt({ lat, lon }) {
      if (lat.length > 0) this.options.view.set(lat.map((_, i) => [lat[i], lon[i]]));
    },

    categories() {
      return this._choices.colour === 'category' && this._names.categories.length > 0 ? this._names.categories : null;
    },

    _statusesThere() {
      const there = new Set(this._field.competitors.map(({ data }) => data.status));
      return this._field.statuses.filter((_, nth) => there.has(nth));
    },

    // The theme may have changed as well.
    _prepareDots() {
      if (!this._field.payload) return;
      const categories = this.categories();
      this._dots.prepare(this._field.competitors.length, this._field.statuses, categories);
      if (this._profile) this._profile.prepare(this._field);
      this.options.legend.show(categories, this._statusesThere(), this._field.statuses);
    },

    _projection() {
      return { scale: TILE_PX * 2 ** this._map.getZoom(), corner: this._map.getPixelBounds().min };
    },

    _draw() {
      this._frame = null;
      const now = performance.now();
      const part = this._source.part(now);
      this._field.late = this._source.late(now);
      this._mark('late', this._field.late > LATE_S);
      this._inspector.keepUp();
      if (!this._zooming) {
        this._under.cover();
        this._over.cover();
        if (this._field.payload) this._drawField(part);
      }
      if (this._profile) this._profile.draw(part);
      this._took = performance.now() - now;
      if (this._source.isMoving(now)) this.redraw();
    },

    _drawField(part) {
      const view = { ...this._projection(), size: this._map.getSize() };
      this._pack.measure(this._field, part, view.scale, this._dots.radius);
      if (this._source.isLive()) this._drawTrails(part, view);
      if (this._dots.colours) this._drawCrowd(part, view);
      else this._drawSprites(part, view);
      this._ring(this._inspector.shown, part, view);
      this._annotate(part, view);
    },

    // Where a competitor is drawn, on the Mercator square.
    _spotOf(one, part) {
      return this._pack.spread(one.side, this._field.place(one, part, this._spot));
    },

    _drawSprites(part, view) {
      const { halo, sprites } = this._dots;
      // All halos below all dots; otherwise a pack's halos would cover its dots.
      this._drawDots(part, view, () => halo);
      this._drawDots(part, view, (one) => sprites[this.kindOf(one)]);
    },

    _drawCrowd(part, { scale, corner }) {
      const ratio = window.devicePixelRatio || 1;
      const { colours, radius } = this._dots;
      const { canvas, context } = this._under;
      this._crowd.begin(canvas.width, canvas.height, radius * ratio);
      for (const one of this._field.competitors) {
        const { x, y } = this._spotOf(one, part);
        const colour = colours[this.kindOf(one)];
        this._crowd.dot((x * scale - corner.x) * ratio, (y * scale - corner.y) * ratio, colour);
      }
      this._crowd.end(context);
    },

    // The colour index of a competitor: by status or by category.
    kindOf(one) {
      if (!this.categories()) return one.data.status;
      const known = this._names.byBib.get(one.bib);
      return known ? known.category : this._names.categories.length - 1;
    },

    _drawDots(part, { scale, corner, size }, spriteOf) {
      const { width } = this._dots;
      const half = width / 2;
      for (const one of this._field.competitors) {
        const { x, y } = this._spotOf(one, part);
        const left = x * scale - corner.x - half;
        const top = y * scale - corner.y - half;
        if (left > -width && top > -width && left < size.x && top < size.y) {
          this._under.context.drawImage(spriteOf(one), left, top, width, width);
        }
      }
    },

    // The first competitors with a place, in order; at the gun there is no leader.
    leaders() {
      if (!this._field.payload) return [];
      const { competitor, distance, place } = this._field.payload.columns;
      const found = [];
      for (let row = 0; row < competitor.length && found.length < LEADERS; row++) {
        const one = place[row] > 0 && distance[row] > 0 ? this._field.competitor(competitor[row]) : undefined;
        if (one) found.push(one);
      }
      return found;
    },

    _isIn(one) {
      return this._field.statuses[one.data.status] === 'finished';
    },

    // The favourites, and the competitors that are followed and inspected.
    marked() {
      const bibs = new Set([...this._choices.favourites, this._inspector.followed, this._inspector.shown]);
      return [...bibs].map((bib) => this._field.competitor(bib)).filter(Boolean);
    },

    // The leader's lap and the number of laps, or null on a course of one lap.
    lap() {
      const [leader] = this.leaders();
      const { laps } = this.course;
      return laps > 1 && leader ? [this.course.lapAt(leader.toDistance), laps] : null;
    },

    _annotate(part, view) {
      const { labels } = this.options;
      const favourites = this._choices.favourites.filter((bib) => this._field.competitor(bib));
      // A leader who has finished needs no flag: all stand at the finish, and the leaderboard has the places.
      const flagged = this.leaders().filter((one) => !this._isIn(one));
      favourites.forEach((bib) => this._ring(bib, part, view));
      this._annotations.draw(this._over.context, {
        leaders: flagged.map((one) => ({ place: one.data.place, ...this._pixel(one, part, view) })),
        favourites: favourites.map((bib) => ({
          bib,
          name: this.nameOf(bib),
          ...this._pixel(this._field.competitor(bib), part, view),
        })),
        dots: this._dots,
        taken: labels ? labels.boxes() : [],
      });
    },

    _drawTrails(part, view) {
      const { context } = this._under;
      for (const { bib, from } of this._trails.starts()) {
        const one = this._field.competitor(bib);
        if (!one) continue;
        const { distance } = this._field.place(one, part, this._spot);
        context.beginPath();
        for (const { x, y } of stretch(this.course, from, distance, TRAIL_STEP_M)) {
          context.lineTo(x * view.scale - view.corner.x, y * view.scale - view.corner.y);
        }
        const { x, y } = this._pixel(one, part, view);
        context.lineTo(x, y);
        Object.assign(context, {
          strokeStyle: this._dots.accent,
          lineWidth: TRAIL_WIDTH_PX,
          lineCap: 'round',
          lineJoin: 'round',
          globalAlpha: 0.8,
        });
        context.stroke();
        context.globalAlpha = 1;
      }
    },

    _pixel(one, part, { scale, corner }) {
      const { x, y } = this._spotOf(one, part);
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
      const { context } = this._over;
      context.beginPath();
      context.arc(x, y, this._dots.radius + 4, 0, 2 * Math.PI);
      for (const [lineWidth, strokeStyle] of [[5, this._dots.paper], [3, this._dots.accent]]) {
        Object.assign(context, { strokeStyle, lineWidth });
        context.stroke();
      }
    },

    _animateZoom({ center, zoom }) {
      this._zooming = true;
      this._under.zoomTo(center, zoom);
      this._over.zoomTo(center, zoom);
    },

    _endZoom() {
      this._zooming = false;
      this.redraw();
    },
  });

  window.Racecast.RaceLayer = RaceLayer;
})();
