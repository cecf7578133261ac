// The leaderboard: all competitors in order; of a race that a sample shows, the first ones and those that are looked up.
//
// Places come with the payload, in its order; only those among the filtered are counted here.

const LONG_BIB = 10000; // more digits need a wider column; also those of a place

class Leaderboard {
  constructor(root) {
    this._root = root;
    this._page = page();
    this._favourites = new Set();
    this._places = new Map(); // bib: place in the payload before the newest
    this._newest = null;
    this._listed = 0; // the rows that are in order, one place after the other; then come those that are looked up
    this._rows = []; // rows of the payload that match the search
    this._among = new Map(); // the place in the filter by row
    this._finder = new Finder((found) => this._hear(found));
    this._makeTools(root);
    this._table = new Table(root, {
      label: 'Leaderboard',
      make: (row) => this._makeRow(row),
      draw: (row, at) => this._drawRow(row, at),
      keyOf: (at) => this._newest.columns.competitor[at],
    });
    this._note = new MomentNote(root);
  }

  update(data, { keep }) {
    // Later on, the choices here are newer than those of the page's script.
    if (!this._data) this._filters.set(data.filters);
    this._data = data;
    this._keep = keep;
    this._favourites = new Set(data.favourites);
    this._root.style.height = `${data.height}px`;
    this._finder.use(data.found);
    this._filter();
  }

  stop() {
    this._finder.stop();
    this._table.stop();
  }

  draw(kind) {
    if (kind === 'moment') this._showMoment();
    if (kind === 'rest') this._keep('moment', this._page.rest);
    if (kind === 'payload') {
      this._take();
      this._showMoment();
    }
    if (kind === 'names') this._offer();
    if (kind === 'follow') this._keep('follow', this._page.followed);
    if (kind === 'payload' || kind === 'names') this._filter();
    if (kind === 'forecasts') this._table.redraw();
  }

  _showMoment() {
    const { moment, payload } = this._page;
    this._note.show(moment, payload && payload.status);
  }

  _take() {
    const before = this._newest;
    this._choose();
    this._finder.renew();
    if (before === null || before === this._newest) return;
    const { competitor, place } = before.columns;
    this._places = new Map(competitor.map((bib, row) => [bib, place[row]]));
  }

  // The rows to choose from.
  _choose() {
    const { payload } = this._page;
    this._listed = this._page.listed();
    const hasAll = payload === null || payload.listed === undefined;
    this._newest = hasAll ? payload : withFound(payload, this._listed, this._finder.found);
  }

  // Competitors that were looked up.
  _hear(found) {
    this._page.know(found.people);
    this._choose();
    this._filter();
  }

  _makeTools(root) {
    const tools = put(root, 'div', 'tools');
    this._search = new Search(tools, () => this._filter());
    this._only = put(tools, 'button', 'only', '★ Favourites');
    this._only.type = 'button';
    this._only.setAttribute('aria-pressed', 'false');
    this._only.addEventListener('click', () => {
      this._only.setAttribute('aria-pressed', String(!this._isOnly()));
      this._filter();
    });
    this._count = put(tools, 'span', 'count');
    this._filters = new Filters(root, (isSettled) => {
      this._filter();
      if (isSettled) this._keep('filters', this._filters.state());
    });
    this._offer();
  }

  _offer() {
    this._search.offer(this._page.names);
    this._filters.offer(this._page.names);
  }

  _isOnly() {
    return this._only.getAttribute('aria-pressed') === 'true';
  }

  _filter() {
    this._finder.want(this._search.text, this._isOnly() ? [...this._favourites] : []);
    if (this._newest === null || this._page.payload?.listed !== undefined) this._choose();
    const all = this._newest ? this._newest.columns.competitor : [];
    const isFound = this._search.matcher();
    const isWanted = (bib) =>
      (!this._isOnly() || this._favourites.has(bib)) && this._filters.matches(bib) && isFound(bib);
    this._table.setColumns(this._columns());
    this._among = this._newest ? this._filters.places(this._newest.columns, this._listed) : new Map();
    this._rows = [];
    all.forEach((bib, row) => {
      if (isWanted(bib)) this._rows.push(row);
    });
    write(this._count, all.length ? this._counted(all.length) : '');
    this._count.classList.toggle('of-some', this._data?.all > 0);
    this._table.element.classList.toggle('forecasting', Boolean(this._data?.hasForecasts));
    this._table.element.classList.toggle('filtered', this._filters.isOn);
    this._table.element.classList.toggle('long-bibs', all.some((bib) => bib >= LONG_BIB));
    const places = this._newest ? this._newest.columns.place : [];
    this._table.element.classList.toggle('long-places', places.some((place) => place >= LONG_BIB));
    this._table.element.classList.toggle('with-reasons', Boolean(this._newest?.cut_offs));
    this._table.show(this._rows, this._whyEmpty());
  }

  // "212 of 9,780". If a sample shows the race, only the first places are filtered, and a search may find others, too.
  _counted(all) {
    const shown = this._rows.length.toLocaleString('en');
    const entrants = this._data?.all;
    if (!entrants) return `${this._rows.length < all ? `${shown} of ` : ''}${all.toLocaleString('en')}`;
    if (this._search.text || this._isOnly()) return `${shown}${this._finder.found?.more ? '+' : ''} found`;
    if (this._filters.isOn) return `${shown} of the first ${this._listed.toLocaleString('en')}`;
    return `first ${shown} of ${entrants.toLocaleString('en')}`;
  }

  _columns() {
    return [
      { name: 'star', label: 'Favourite' },
      { name: 'place', word: '#', label: 'Place' },
      ...(this._filters.isOn ? [{ name: 'among', word: 'In filter', label: 'Place in filter' }] : []),
      { name: 'moved', label: 'Places gained or lost' },
      { name: 'bib', word: 'Bib' },
      { name: 'name', word: 'Name', isText: true },
      { name: 'covered', word: 'Covered' },
      { name: 'pace', word: `Pace /${formatting.unit().symbol}` },
      { name: 'gap', word: 'Gap' },
      { name: 'split', word: 'Last split' },
      ...(this._data?.hasForecasts ? [{ name: 'expected', word: 'Expected finish' }] : []),
      { name: 'status', word: 'Official time', isText: true },
    ];
  }

  _whyEmpty() {
    if (this._newest === null) return '';
    if (this._newest.columns.competitor.length === 0) return 'No competitors have started yet.';
    if (this._finder.isAsking) return 'Searching all competitors…';
    return this._isOnly() && this._favourites.size === 0
      ? 'No favourites yet: click a star.'
      : 'No matches.';
  }

  _makeRow(row) {
    const { cells } = row;
    row.star = put(cells.star, 'button', 'star');
    row.star.type = 'button';
    row.star.addEventListener('click', () => this._toggle(row.key));
    row.name = put(cells.name, 'button', 'who');
    row.name.type = 'button';
    row.name.addEventListener('click', () => this._page.show(row.key));
    row.bar = put(cells.covered, 'div', 'bar');
    row.metres = put(cells.covered, 'span', 'metres');
    row.state = put(cells.status, 'span', 'state');
  }

  _drawRow(row, at) {
    const { columns, statuses, status: raceStatus } = this._newest;
    const bib = columns.competitor[at];
    const status = formatting.shownStatus(statuses[columns.status[at]], raceStatus);
    const distance = columns.distance[at];
    const place = columns.place[at];
    const isFavourite = this._favourites.has(bib);
    row.element.dataset.bib = String(bib);
    row.element.dataset.status = status;
    row.element.classList.toggle('favourite', isFavourite);
    write(row.star, isFavourite ? '★' : '☆');
    row.star.setAttribute('aria-pressed', String(isFavourite));
    row.star.setAttribute('aria-label', `Favourite: bib ${bib}`);
    write(row.cells.place, place > 0 ? String(place) : formatting.UNKNOWN);
    if (row.cells.among) write(row.cells.among, String(this._among.get(at) || formatting.UNKNOWN));
    this._drawMoved(row.cells.moved, place, this._places.get(bib));
    write(row.cells.bib, String(bib));
    write(row.name, this._page.nameOf(bib) || `Bib ${bib}`);
    // Competitors that a search has found are on the map only if they are in the sample.
    row.name.disabled = at >= this._listed && !columns.drawn[at];
    row.name.title = row.name.disabled ? 'Not on the map, which shows a sample' : 'Show on the map';
    this._drawCovered(row, distance);
    write(row.cells.pace, formatting.pace(place > 0 ? columns.chip[at] : null, distance));
    write(row.cells.gap, gapText(columns.gap[at], place));
    write(row.cells.split, splitText(columns.split[at], columns.split_time[at]));
    if (row.cells.expected) this._drawExpected(row.cells.expected, bib, status);
    const reason = formatting.cutOff(this._newest, at);
    write(row.state, statusText(status, columns.gun[at], reason));
    row.state.title = reason && formatting.statusWords(status, reason);
  }

  _drawMoved(cell, place, before) {
    const by = before > 0 && place > 0 ? before - place : 0;
    write(cell, by === 0 ? '' : `${by > 0 ? '▲' : '▼'}${Math.abs(by)}`);
    cell.dataset.way = by > 0 ? 'up' : by < 0 ? 'down' : '';
  }

  // The expected gun time; its interval is a tooltip, and on the map's card.
  _drawExpected(cell, bib, status) {
    const isUnderWay = status === 'running' || status === 'paused';
    const finish = isUnderWay && this._page.forecasts ? this._page.forecasts.finish(bib, 'gun') : null;
    write(cell, finish ? formatting.officialTime(finish.expected) : isUnderWay ? formatting.UNKNOWN : '');
    const interval = finish ? `${formatting.officialTime(finish.low)} to ${formatting.officialTime(finish.high)}` : '';
    cell.title = finish ? `Finishes in ${interval} with a probability of 80 %` : '';
  }

  _drawCovered(row, metres) {
    const whole = this._data.distance;
    row.bar.hidden = !whole;
    if (whole) row.bar.style.setProperty('--part', String(Math.min(1, metres / whole)));
    write(row.metres, formatting.distance(metres));
  }

  _toggle(bib) {
    if (!this._favourites.delete(bib)) this._favourites.add(bib);
    this._filter();
    this._keep('favourites', [...this._favourites].sort((a, b) => a - b));
  }
}

function gapText(seconds, place) {
  if (seconds === null) return formatting.UNKNOWN;
  return place === 1 ? 'leader' : `+${formatting.duration(seconds)}`;
}

function splitText(metres, seconds) {
  if (metres === null) return formatting.UNKNOWN;
  return `${formatting.shortDistance(metres)} ${formatting.duration(seconds)}`;
}

function statusText(status, gun, reason) {
  if (status === 'finished') return formatting.officialTime(gun);
  return status === 'waiting' ? 'Waiting' : formatting.statusWords(status, reason);
}
