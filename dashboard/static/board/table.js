// A table that shows any number of rows: only visible ones are in the DOM, and all of them in print.

const ROW_PX = 36;
const SPARE_ROWS = 4; // above and below the visible area

class Table {
  // make(row) adds what the cells of a new row contain; draw(row, item, nth) writes an item of `show` into them;
  // keyOf(item) identifies an item, so that the focus stays on it; sort(name) is called by the header's buttons.
  constructor(into, { label, make = () => {}, draw, keyOf = (item) => item, sort = () => {} }) {
    Object.assign(this, { _make: make, _draw: draw, _keyOf: keyOf, _sort: sort });
    this._columns = [];
    this._lefts = new Map();
    this._sorted = { name: null, isFalling: false };
    this._items = [];
    this._pool = [];
    this._reached = null; // the key of the row that the Tab key reaches
    this._isPrinting = false;
    this._scroll = put(into, 'div', 'scroll');
    this._scroll.tabIndex = 0;
    this._scroll.setAttribute('role', 'region');
    this._scroll.setAttribute('aria-label', label);
    this.element = put(this._scroll, 'table');
    this._head = put(put(this.element, 'thead'), 'tr');
    this._above = put(put(this.element, 'tbody', 'spacer'), 'tr');
    this._body = put(this.element, 'tbody');
    this._below = put(put(this.element, 'tbody', 'spacer'), 'tr');
    this._empty = put(this._scroll, 'p', 'empty');
    this._body.addEventListener('focusin', () => this._reach());
    this._body.addEventListener('keydown', (event) => this._step(event));
    this._scroll.addEventListener('scroll', () => this.redraw(), { passive: true });
    this._resized = new ResizeObserver(() => this.redraw());
    this._resized.observe(this._scroll);
    this._beforePrint = () => this._print(true);
    this._afterPrint = () => this._print(false);
    window.addEventListener('beforeprint', this._beforePrint);
    window.addEventListener('afterprint', this._afterPrint);
  }

  stop() {
    this._resized.disconnect();
    window.removeEventListener('beforeprint', this._beforePrint);
    window.removeEventListener('afterprint', this._afterPrint);
  }

  // Columns: {name, word}; `isText` aligns one to the left. For screen readers a column with `label` has that instead
  // of its word, if it has one;
  // `sorts` makes its header a button. `rem` is its width, `least` its width where there is no room for more; those
  // that `sticks`, the first ones, stay where they are when the table is scrolled sideways.
  setColumns(columns) {
    if (JSON.stringify(columns) === JSON.stringify(this._columns)) return;
    this._columns = columns;
    this._head.replaceChildren();
    this._body.replaceChildren();
    this._pool = [];
    this._lefts = leftsOf(columns);
    for (const column of columns) this._makeHeader(column);
    const width = columns.reduce((sum, { rem = 0, least = 0 }) => sum + rem + least, 0);
    this.element.style.setProperty('--least', `${width}rem`);
    this._drawSorted();
  }

  // Marks the column that the items are sorted by, rising or falling.
  setSorted(name, isFalling) {
    this._sorted = { name, isFalling };
    this._drawSorted();
  }

  // Shows these items; without any, the sentence.
  show(items, sentence) {
    this._items = items;
    write(this._empty, items.length ? '' : sentence);
    this._empty.hidden = items.length > 0;
    this.redraw();
  }

  toTop() {
    this._scroll.scrollTop = 0;
  }

  redraw() {
    const total = this._items.length;
    const [first, last] = this._isPrinting ? [0, total] : this._visible(total);
    this._above.style.height = `${first * ROW_PX}px`;
    this._below.style.height = `${(total - last) * ROW_PX}px`;
    this.element.setAttribute('aria-rowcount', String(total + 1));
    while (this._pool.length < last - first) this._pool.push(this._makeRow());
    const held = this._focused();
    this._pool.forEach((row, nth) => {
      const isSeen = first + nth < last;
      row.element.hidden = !isSeen;
      if (isSeen) this._drawRow(row, first + nth);
    });
    if (held) this._focus(held);
    this._letTabReach(first);
  }

  _visible(total) {
    const seen = Math.ceil(this._scroll.clientHeight / ROW_PX);
    const first = Math.max(0, Math.min(Math.floor(this._scroll.scrollTop / ROW_PX) - SPARE_ROWS, total));
    return [first, Math.min(total, first + seen + 2 * SPARE_ROWS)];
  }

  _print(isPrinting) {
    this._isPrinting = isPrinting;
    this.redraw();
    if (isPrinting) return;
    for (const row of this._pool.filter(({ element }) => element.hidden)) row.element.remove();
    this._pool = this._pool.filter(({ element }) => !element.hidden);
  }

  _drawSorted() {
    const { name, isFalling } = this._sorted;
    for (const header of this._head.children) {
      if (header.dataset.column === name) header.setAttribute('aria-sort', isFalling ? 'descending' : 'ascending');
      else header.removeAttribute('aria-sort');
    }
  }

  _makeHeader({ name, word, label, rem, sorts, isText }) {
    const header = put(this._head, 'th', classOf(name, isText));
    if (rem) header.style.width = `${rem}rem`;
    this._stick(header, name);
    header.scope = 'col';
    header.dataset.column = name;
    if (!sorts) {
      if (word) put(header, 'span', '', word).setAttribute('aria-hidden', String(Boolean(label)));
      if (label) put(header, 'span', 'unseen', label);
      return;
    }
    const button = put(header, 'button', 'sorts', word);
    button.type = 'button';
    button.addEventListener('click', () => this._sort(name));
  }

  _makeRow() {
    const element = put(this._body, 'tr');
    const cells = Object.fromEntries(
      this._columns.map(({ name, isText }) => [name, put(element, 'td', classOf(name, isText))]),
    );
    for (const [name, cell] of Object.entries(cells)) this._stick(cell, name);
    const row = { element, cells, key: null };
    this._make(row);
    return row;
  }

  _stick(cell, name) {
    if (!this._lefts.has(name)) return;
    cell.classList.add('sticks');
    cell.style.left = `${this._lefts.get(name)}rem`;
  }

  _drawRow(row, nth) {
    const item = this._items[nth];
    row.key = this._keyOf(item);
    row.element.setAttribute('aria-rowindex', String(nth + 2));
    this._draw(row, item, nth);
  }

  // The Tab key reaches the buttons of one row, and the arrow keys the other rows: there may be thousands.
  _letTabReach(first) {
    const shown = this._pool.filter(({ element }) => !element.hidden);
    const inView = Math.ceil(this._scroll.scrollTop / ROW_PX) - first;
    const one = shown.find(({ key }) => key === this._reached) || shown[Math.min(inView, shown.length - 1)];
    for (const row of shown) for (const button of buttonsOf(row)) button.tabIndex = row === one ? 0 : -1;
  }

  // A button of a row has got the focus.
  _reach() {
    const held = this._focused();
    if (!held || held.key === this._reached) return;
    this._reached = held.key;
    this._letTabReach(0);
  }

  _step(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const held = this._focused();
    if (!by || !held) return;
    event.preventDefault();
    const nth = this._items.findIndex((item) => this._keyOf(item) === held.key) + by;
    if (nth < 0 || nth >= this._items.length) return;
    // Below the header, and above the lower edge.
    const least = (nth + 2) * ROW_PX - this._scroll.clientHeight;
    this._scroll.scrollTop = Math.max(least, Math.min(this._scroll.scrollTop, nth * ROW_PX));
    this.redraw();
    this._focus({ key: this._keyOf(this._items[nth]), button: held.button });
    this._body.getRootNode().activeElement.scrollIntoView({ block: 'nearest' }); // in the page, too
  }

  // The focused button of a row: the row's key and the button's number in it; null if none.
  _focused() {
    const active = this._body.getRootNode().activeElement;
    const row = this._pool.find(({ element }) => element.contains(active));
    return row ? { key: row.key, button: buttonsOf(row).indexOf(active) } : null;
  }

  // The focus follows the item: rows are reused for others.
  _focus({ key, button }) {
    const row = this._pool.find((one) => one.key === key && !one.element.hidden);
    if (row && row.key !== this._focused()?.key) buttonsOf(row)[button].focus({ preventScroll: true });
  }
}

// Where the columns that stay stay, in rem from the left, by name.
function leftsOf(columns) {
  let left = 0;
  const lefts = new Map();
  for (const { name, rem, sticks } of columns) {
    if (!sticks) continue;
    lefts.set(name, left);
    left += rem || 0;
  }
  return lefts;
}

function classOf(name, isText) {
  return isText ? `${name} text` : name;
}

function buttonsOf({ element }) {
  return [...element.querySelectorAll('button')];
}

// Sorts numbers of rows by their values, rising or falling; those without a value come last either way.
function sortRows(rows, values, isFalling) {
  const ranks = ranksOf(values);
  const keys = Float64Array.from(values, (value) => {
    if (value === null || value === undefined || value === '') return NaN;
    return typeof value === 'string' ? ranks.get(value) : value;
  });
  const some = rows.filter((row) => !Number.isNaN(keys[row]));
  some.sort(isFalling ? (a, b) => compared(keys[b], keys[a]) : (a, b) => compared(keys[a], keys[b]));
  return [...some, ...rows.filter((row) => Number.isNaN(keys[row]))];
}

// The place of each text in the order of texts; those that differ only in case or accents share one. Comparing texts is
// slow, and most occur in many rows.
function ranksOf(values) {
  const { compare } = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
  const texts = [...new Set(values.filter((value) => typeof value === 'string'))].sort(compare);
  const ranks = new Map();
  texts.forEach((text, nth) => {
    const isSame = nth > 0 && compare(texts[nth - 1], text) === 0;
    ranks.set(text, isSame ? ranks.get(texts[nth - 1]) : nth);
  });
  return ranks;
}

// Subtracting infinity from itself gives no number.
function compared(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}
