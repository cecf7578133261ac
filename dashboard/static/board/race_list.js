// A list of a race's competitors with search, filters and an order that the link keeps. It prints all its rows.
//
// A list of this kind has `bibs()`, `columns()`, `values(name)` (by row, to sort by), `drawCell(row, name, at)`,
// `ordered` (the column that its data is in the order of), `sentence(shown, all)` and `whyEmpty(all)`.

const SETTLED_MS = 700; // after the last key in the search field
const LEAST_ROWS = 6;

class RaceList {
  constructor(root, label) {
    this._root = root;
    root.classList.add('list');
    this._page = page();
    this._order = { name: '', isFalling: false };
    this._rows = null; // all of them in this order
    this._shown = [];
    this._timer = null;
    this._head = new PrintHead(root);
    const tools = put(root, 'div', 'tools');
    this._search = new Search(tools, () => this._choose(false));
    this._makeTools(tools);
    this._filters = new Filters(root, (isSettled) => this._choose(isSettled));
    this._caption = put(root, 'p', 'caption');
    this._caption.setAttribute('role', 'status');
    this._table = new Table(root, {
      label,
      make: (row) => this._makeRow(row),
      draw: (row, at) => this._drawRow(row, at),
      keyOf: (at) => this.bibs()[at],
      sort: (name) => this._sortBy(name),
    });
    this._offer();
  }

  update(data, { keep }) {
    this._keep = keep;
    if (!this._data) this._take(data.choices);
    this._data = data;
    this._head.write(data.heading);
    if (data.races) this._listen(data);
    this.arrange();
  }

  stop() {
    clearTimeout(this._timer);
    this._table.stop();
    if (this._feed) this._feed.stop();
  }

  draw(kind) {
    if (kind !== 'names') return;
    this._offer();
    this.renew();
  }

  // The data has changed.
  renew() {
    this._rows = null;
    if (this._data) this.arrange();
  }

  // Filters, sorts and draws.
  arrange() {
    const bibs = this.bibs();
    this._table.setColumns(this.columns());
    this._table.setSorted(this._order.name || this.ordered, this._order.isFalling);
    this._rows ||= this._sorted(bibs.map((_, row) => row));
    const isFound = this._search.matcher();
    this._shown = this._rows.filter((row) => this._filters.matches(bibs[row]) && isFound(bibs[row]));
    const sentence = bibs.length ? this.sentence(this._shown.length, bibs.length) : '';
    write(this._caption, sentence);
    this._head.writeChoices(sentence);
    this._root.style.setProperty('--rows', String(Math.max(bibs.length, LEAST_ROWS)));
    this._table.show(this._shown, this.whyEmpty(bibs.length));
  }

  // "212 of 9,780", with what they are chosen by.
  counted(shown, all) {
    const found = this._search.text ? `“${this._search.text}”` : '';
    const words = [this._filters.words(), found].filter(Boolean).join(' · ');
    const total = all.toLocaleString('en');
    const { all: entrants } = this._data; // more than the list has, if a sample shows the race
    if (words) return `${words}: ${shown.toLocaleString('en')} of ${entrants ? `the ${total} listed` : total}`;
    return entrants ? `${total} of ${entrants.toLocaleString('en')} competitors` : `${total} competitors`;
  }

  categoryOf(bib) {
    const { byBib, categories } = this._page.names;
    const known = byBib.get(bib);
    return known ? categories[known.category] : '';
  }

  hasClubs() {
    this._clubsIn ??= new WeakMap();
    const { names } = this._page;
    if (!this._clubsIn.has(names)) this._clubsIn.set(names, [...names.byBib.values()].some(({ club }) => club));
    return this._clubsIn.get(names);
  }

  // On pages whose map doesn't pass data on: `data.races` is the prefix of requests about the race.
  _listen({ run, races, rank, refresh }) {
    const asked = `${races}?${rank}`;
    if (asked !== this._asked) {
      if (this._feed) this._feed.stop();
      this._asked = asked;
      this._feed = new ResultsFeed(run, races, rank, {
        take: (results) => this._hear(results),
        hush: (sentence) => this.hush(sentence),
      });
    }
    this._feed.setEvery(refresh);
  }

  // What Streamlit has drawn of another version is outdated.
  _hear(results) {
    this.take(results);
    if (results.version !== this._data.version) this._keep('version', results.version);
  }

  // The results, which a list of results shows, and why there are none.
  take() {}

  hush() {}

  _makeTools() {}

  _makeRow() {}

  _drawRow(row, at) {
    row.element.dataset.bib = String(this.bibs()[at]);
    for (const name of Object.keys(row.cells)) this.drawCell(row, name, at);
  }

  _offer() {
    this._search.offer(this._page.names);
    this._filters.offer(this._page.names);
  }

  _sorted(rows) {
    if (rows.length === 0) return rows;
    const { name, isFalling } = this._order;
    const isThere = this.columns().some((column) => column.name === name && column.sorts);
    return isThere ? sortRows(rows, this.values(name), isFalling) : rows;
  }

  _sortBy(name) {
    const isFalling = (this._order.name || this.ordered) === name && !this._order.isFalling;
    this._order = name === this.ordered && !isFalling ? { name: '', isFalling: false } : { name, isFalling };
    this._rows = null;
    this._choose(true);
  }

  _choose(isSettled) {
    this.arrange();
    this._table.toTop();
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._keep('list', this._choices()), isSettled ? 0 : SETTLED_MS);
  }

  _take({ find = '', sort = '', ...filters }) {
    this._search.text = find;
    this._order = { name: sort.replace('-', ''), isFalling: sort.startsWith('-') };
    this._filters.set(filters);
  }

  _choices() {
    const { name, isFalling } = this._order;
    return { ...this._filters.state(), find: this._search.text, sort: name && `${isFalling ? '-' : ''}${name}` };
  }
}
