// The leaderboard: all competitors in order; only visible rows are in the DOM.
//
// Places come with the payload; nothing is ranked here.

const ROW_PX = 36;
const SPARE_ROWS = 4; // above and below the visible area

const LONG_BIB = 10000; // more digits need a wider column

const COLUMNS = [
  { name: 'star', word: '' },
  { name: 'place', word: 'Place' },
  { name: 'moved', word: '' },
  { name: 'bib', word: 'Bib' },
  { name: 'name', word: 'Name' },
  { name: 'covered', word: 'Covered' },
  { name: 'pace', word: 'Pace' },
  { name: 'gap', word: 'Gap' },
  { name: 'split', word: 'Last split' },
  { name: 'status', word: 'Status' },
];

class Leaderboard {
  constructor(root) {
    this._root = root;
    this._page = page();
    this._favourites = new Set();
    this._places = new Map(); // bib: place in the payload before the newest
    this._newest = null;
    this._rows = []; // rows of the payload that match the search
    this._pool = [];
    this._makeTools(root);
    this._makeTable(root);
  }

  update(data, { choose }) {
    this._data = data;
    this._choose = choose;
    this._favourites = new Set(data.favourites);
    this._root.style.height = `${data.height}px`;
    this._filter();
  }

  stop() {}

  draw(kind) {
    if (kind === 'payload') this._take();
    if (kind === 'names') this._sayWhatIsFound();
    if (kind === 'payload' || kind === 'names') this._filter();
  }

  _take() {
    const before = this._newest;
    this._newest = this._page.payload;
    if (before === null || before === this._newest) return;
    const { competitor, place } = before.columns;
    this._places = new Map(competitor.map((bib, row) => [bib, place[row]]));
  }

  _makeTools(root) {
    const tools = put(root, 'div', 'tools');
    this._search = put(tools, 'input', 'search');
    Object.assign(this._search, { type: 'search', autocomplete: 'off' });
    this._sayWhatIsFound();
    this._search.addEventListener('input', () => this._filter());
    this._only = put(tools, 'button', 'only', '★ Favourites');
    this._only.type = 'button';
    this._only.setAttribute('aria-pressed', 'false');
    this._only.addEventListener('click', () => {
      this._only.setAttribute('aria-pressed', String(!this._isOnly()));
      this._filter();
    });
    this._count = put(tools, 'span', 'count');
  }

  _sayWhatIsFound() {
    const clubs = [...this._page.names.byBib.values()].some(({ club }) => club);
    this._search.placeholder = clubs ? 'Find a bib, a name or a club' : 'Find a bib or a name';
    this._search.setAttribute('aria-label', this._search.placeholder);
  }

  _makeTable(root) {
    this._scroll = put(root, 'div', 'scroll');
    this._scroll.tabIndex = 0;
    this._scroll.setAttribute('role', 'region');
    this._scroll.setAttribute('aria-label', 'Leaderboard');
    const table = put(this._scroll, 'table');
    this._table = table;
    const head = put(put(table, 'thead'), 'tr');
    for (const { name, word } of COLUMNS) put(head, 'th', name, word).scope = 'col';
    this._above = put(put(table, 'tbody', 'spacer'), 'tr');
    this._body = put(table, 'tbody');
    this._below = put(put(table, 'tbody', 'spacer'), 'tr');
    this._empty = put(this._scroll, 'p', 'empty');
    this._scroll.addEventListener('scroll', () => this._drawRows(), { passive: true });
    new ResizeObserver(() => this._drawRows()).observe(this._scroll);
  }

  _isOnly() {
    return this._only.getAttribute('aria-pressed') === 'true';
  }

  _filter() {
    if (this._newest === null) this._newest = this._page.payload;
    const all = this._newest ? this._newest.columns.competitor : [];
    const wanted = this._search.value.trim().toLowerCase();
    const isLike = (text) => text.toLowerCase().includes(wanted);
    const isWanted = (bib) =>
      (!this._isOnly() || this._favourites.has(bib)) &&
      (wanted === '' || String(bib) === wanted || isLike(this._page.nameOf(bib)) || isLike(this._page.clubOf(bib)));
    this._rows = [];
    all.forEach((bib, row) => {
      if (isWanted(bib)) this._rows.push(row);
    });
    const some = this._rows.length < all.length ? `${this._rows.length.toLocaleString('en')} of ` : '';
    write(this._count, all.length ? `${some}${all.length.toLocaleString('en')}` : '');
    this._table.classList.toggle('long-bibs', all.some((bib) => bib >= LONG_BIB));
    this._drawRows();
  }

  _drawRows() {
    const total = this._rows.length;
    const seen = Math.ceil(this._scroll.clientHeight / ROW_PX);
    const first = Math.max(0, Math.min(Math.floor(this._scroll.scrollTop / ROW_PX) - SPARE_ROWS, total));
    const last = Math.min(total, first + seen + 2 * SPARE_ROWS);
    this._above.style.height = `${first * ROW_PX}px`;
    this._below.style.height = `${(total - last) * ROW_PX}px`;
    this._table.setAttribute('aria-rowcount', String(total + 1));
    while (this._pool.length < last - first) this._pool.push(this._makeRow());
    const held = this._focused();
    this._pool.forEach((row, nth) => {
      const isSeen = first + nth < last;
      row.element.hidden = !isSeen;
      if (isSeen) this._drawRow(row, this._rows[first + nth], first + nth);
    });
    if (held) this._focus(held);
    write(this._empty, total === 0 ? this._whyEmpty() : '');
    this._empty.hidden = total > 0;
  }

  // The focused button of a row, and its competitor; null if none.
  _focused() {
    const active = this._body.getRootNode().activeElement;
    const row = this._pool.find(({ element }) => element.contains(active));
    return row ? { bib: row.bib, button: active === row.star ? 'star' : 'name' } : null;
  }

  // The focus follows the competitor: rows are reused for others.
  _focus({ bib, button }) {
    const row = this._pool.find((one) => one.bib === bib && !one.element.hidden);
    if (row && row.bib !== this._focused()?.bib) row[button].focus({ preventScroll: true });
  }

  _whyEmpty() {
    if (this._newest === null) return '';
    if (this._newest.columns.competitor.length === 0) return 'No competitors have started yet.';
    return this._isOnly() && this._favourites.size === 0
      ? 'No favourites yet: click a star.'
      : 'No matches.';
  }

  _makeRow() {
    const element = put(this._body, 'tr');
    const cells = Object.fromEntries(COLUMNS.map(({ name }) => [name, put(element, 'td', name)]));
    const row = { element, cells, bib: null };
    row.star = put(cells.star, 'button', 'star');
    row.star.type = 'button';
    row.star.addEventListener('click', () => this._toggle(row.bib));
    row.name = put(cells.name, 'button', 'who');
    row.name.type = 'button';
    row.name.title = 'Show on the map';
    row.name.addEventListener('click', () => this._page.show(row.bib));
    row.bar = put(cells.covered, 'div', 'bar');
    row.metres = put(cells.covered, 'span', 'metres');
    return row;
  }

  _drawRow(row, at, nth) {
    const { columns, statuses } = this._newest;
    const bib = columns.competitor[at];
    const status = statuses[columns.status[at]];
    const distance = columns.distance[at];
    const elapsed = columns.elapsed[at];
    const place = columns.place[at];
    const isFavourite = this._favourites.has(bib);
    row.bib = bib;
    row.element.setAttribute('aria-rowindex', String(nth + 2));
    row.element.dataset.bib = String(bib);
    row.element.dataset.status = status;
    row.element.classList.toggle('favourite', isFavourite);
    write(row.star, isFavourite ? '★' : '☆');
    row.star.setAttribute('aria-pressed', String(isFavourite));
    row.star.setAttribute('aria-label', `Favourite: bib ${bib}`);
    write(row.cells.place, place > 0 ? String(place) : formatting.UNKNOWN);
    this._drawMoved(row.cells.moved, place, this._places.get(bib));
    write(row.cells.bib, String(bib));
    write(row.name, this._page.nameOf(bib) || `Bib ${bib}`);
    this._drawCovered(row, distance);
    write(row.cells.pace, formatting.pace(place > 0 ? elapsed - columns.start[at] : null, distance));
    write(row.cells.gap, gapText(columns.gap[at], place));
    write(row.cells.split, splitText(columns.split[at], columns.split_time[at]));
    write(row.cells.status, statusText(status, elapsed));
  }

  _drawMoved(cell, place, before) {
    const by = before > 0 && place > 0 ? before - place : 0;
    write(cell, by === 0 ? '' : `${by > 0 ? '▲' : '▼'}${Math.abs(by)}`);
    cell.dataset.way = by > 0 ? 'up' : by < 0 ? 'down' : '';
  }

  _drawCovered(row, metres) {
    const whole = this._data.distance;
    row.bar.hidden = !whole;
    if (whole) row.bar.style.setProperty('--part', String(Math.min(1, metres / whole)));
    write(row.metres, `${formatting.kilometres(metres)} km`);
  }

  _toggle(bib) {
    if (!this._favourites.delete(bib)) this._favourites.add(bib);
    this._filter();
    this._choose([...this._favourites].sort((a, b) => a - b));
  }
}

function gapText(seconds, place) {
  if (seconds === null) return formatting.UNKNOWN;
  return place === 1 ? 'leader' : `+${formatting.duration(seconds)}`;
}

function splitText(metres, seconds) {
  if (metres === null) return formatting.UNKNOWN;
  return `${Number((metres / 1000).toFixed(2))} km ${formatting.duration(seconds)}`;
}

function statusText(status, elapsed) {
  if (status === 'finished') return formatting.raceTime(elapsed);
  return status === 'waiting' ? 'Waiting' : formatting.STATUS[status] || status;
}
