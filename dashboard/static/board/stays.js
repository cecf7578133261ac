// Geofence visits: a table that sums them up by geofence, and one of the longest.

const FENCE = { name: 'fence', word: 'Geofence', least: 5.6, isText: true, text: ({ fence }) => fence };

// A column's `value` is what it sorts by, and `text` what its cells show.
const SUMMED = [
  FENCE,
  count('visits', 'Visits', 4.4),
  count('competitors', 'Competitors', 5.6),
  count('inside', 'Inside now', 3.7),
  { name: 'median', word: 'Median stay', rem: 4.2, text: ({ median }) => formatting.duration(median) },
  { name: 'longest', word: 'Longest stay', rem: 4.2, text: ({ longest }) => formatting.duration(longest) },
];
const LONGEST = [
  FENCE,
  { name: 'bib', word: 'Bib', rem: 3.6, text: ({ bib }) => String(bib) },
  {
    name: 'name',
    word: 'Name',
    least: 7.5,
    isText: true,
    value: ({ bib }) => page().nameOf(bib),
    text: ({ bib }) => page().nameOf(bib) || `Bib ${bib}`,
  },
  { name: 'entered', word: 'Entered at', rem: 4.3, text: ({ entered }) => formatting.raceTime(entered) },
  {
    name: 'stay',
    word: 'Stay',
    rem: 4.3,
    value: ({ stay }) => stay ?? Infinity,
    text: ({ stay }) => (stay === null ? 'inside' : formatting.duration(stay)),
  },
];

class Stays {
  constructor(root) {
    this._summed = new SortedTable(root, 'Visits by geofence', SUMMED, { name: 'fence', isFalling: false });
    this._longest = new SortedTable(root, 'Longest visits', LONGEST, { name: 'stay', isFalling: true });
  }

  // data: the rows of both tables.
  update({ summed, longest }) {
    this._summed.show(summed);
    this._longest.show(longest);
  }

  draw(kind) {
    if (kind === 'names') this._longest.arrange();
  }

  stop() {
    this._summed.stop();
    this._longest.stop();
  }
}

// A table whose headers sort it.
class SortedTable {
  constructor(into, label, columns, order) {
    Object.assign(this, { _columns: columns, _order: order, _rows: [] });
    this._box = put(into, 'div', 'list');
    this._table = new Table(this._box, {
      label,
      draw: ({ cells }, row) => this._columns.forEach(({ name, text }) => write(cells[name], text(row))),
      sort: (name) => this._sortBy(name),
    });
    this._table.setColumns(columns.map((column) => ({ ...column, sorts: true })));
  }

  show(rows) {
    this._rows = rows;
    this._box.style.setProperty('--rows', String(rows.length));
    this.arrange();
  }

  arrange() {
    const { name, isFalling } = this._order;
    const { value = (row) => row[name] } = this._columns.find((column) => column.name === name);
    const order = sortRows([...this._rows.keys()], this._rows.map(value), isFalling);
    this._table.setSorted(name, isFalling);
    this._table.show(order.map((nth) => this._rows[nth]), '');
  }

  stop() {
    this._table.stop();
  }

  _sortBy(name) {
    this._order = { name, isFalling: this._order.name === name && !this._order.isFalling };
    this.arrange();
    this._table.toTop();
  }
}

function count(name, word, rem) {
  return { name, word, rem, text: (row) => row[name].toLocaleString('en') };
}
