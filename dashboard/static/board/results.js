// The finish list: all competitors with places, times and splits.

const RANK_WORDS = { gun: 'Places by gun time', chip: 'Places by chip time' };
const SPLIT = /^split_\d+$/;

class ResultList extends RaceList {
  constructor(root) {
    super(root, 'Finish list');
    this.ordered = 'place';
    this._results = null;
    this._favourites = new Set();
    this._among = new Map(); // places within the filters, by row
    this._trouble = put(root, 'p', 'trouble');
    this._trouble.setAttribute('role', 'status');
    this._trouble.hidden = true;
  }

  update(data, tools) {
    this._favourites = new Set(data.favourites);
    super.update(data, tools);
  }

  take(results) {
    this._results = results;
    this.renew();
  }

  hush(sentence) {
    write(this._trouble, sentence);
    this._trouble.hidden = sentence === '';
  }

  bibs() {
    return this._results ? this._results.columns.competitor : [];
  }

  columns() {
    const splits = this._results ? this._results.splits : [];
    const isLong = this.bibs().some((bib) => bib >= LONG_BIB);
    return [
      { name: 'star', label: 'Favourite', rem: 2 },
      { name: 'place', word: 'Place', rem: 3.6, sorts: true, sticks: true },
      { name: 'bib', word: 'Bib', rem: isLong ? 4.4 : 3.4, sorts: true, sticks: true },
      { name: 'name', word: 'Name', least: 8.5, sorts: true, isText: true, sticks: true },
      ...(this._filters.isOn ? [{ name: 'among', word: 'Place in filter', rem: 5, sorts: true }] : []),
      { name: 'time', word: 'Official time', rem: this._results?.cut_offs ? 6.5 : 5, sorts: true },
      { name: 'gun', word: 'Gun time', rem: 6.2, sorts: true },
      { name: 'chip', word: 'Chip time', rem: 6.2, sorts: true },
      { name: 'gap', word: 'Gap', rem: 4.6, sorts: true },
      { name: 'pace', word: `Pace /${formatting.unit().symbol}`, rem: 3.8, sorts: true },
      { name: 'category', word: 'Category', rem: 6, sorts: true, isText: true },
      ...(this.hasClubs() ? [{ name: 'club', word: 'Club', least: 8, sorts: true, isText: true }] : []),
      ...splits.map(({ name, metres }, nth) => ({
        name: `split_${nth}`,
        word: formatting.point(name, metres),
        rem: 5,
        sorts: true,
      })),
    ];
  }

  arrange() {
    this._among = this._results ? this._filters.places(this._results.columns) : new Map();
    super.arrange();
  }

  values(name) {
    const { columns } = this._results;
    switch (name) {
      case 'place':
      case 'among': // the same order
        return columns.place.map((place) => place || null);
      case 'bib':
        return columns.competitor;
      case 'name':
        return columns.competitor.map((bib) => this._page.nameOf(bib));
      case 'club':
        return columns.competitor.map((bib) => this._page.clubOf(bib));
      case 'category':
        return columns.competitor.map((bib) => this.categoryOf(bib));
      case 'time':
        return columns[this._results.rank];
      case 'pace':
        return columns.chip.map((seconds, row) => (seconds === null ? null : seconds / columns.distance[row]));
      default:
        return columns[name];
    }
  }

  sentence(shown, all) {
    return `${this.counted(shown, all)} · ${RANK_WORDS[this._results.rank].toLowerCase()}`;
  }

  whyEmpty(all) {
    if (this._results === null) return 'Loading the results…';
    if (all) return 'No matches.';
    return this._results.of === undefined ? 'No competitors have started yet.' : 'No finishers yet.';
  }

  drawCell({ cells, star, state, element }, name, at) {
    const { columns } = this._results;
    const bib = columns.competitor[at];
    const cell = cells[name];
    if (name === 'star') {
      const isFavourite = this._favourites.has(bib);
      element.classList.toggle('favourite', isFavourite);
      element.dataset.status = this._statusOf(at);
      write(star, isFavourite ? '★' : '☆');
      star.setAttribute('aria-pressed', String(isFavourite));
      star.setAttribute('aria-label', `Favourite: bib ${bib}`);
    } else if (name === 'place') write(cell, columns.place[at] ? String(columns.place[at]) : formatting.UNKNOWN);
    else if (name === 'among') write(cell, String(this._among.get(at) || formatting.UNKNOWN));
    else if (name === 'bib') write(cell, String(bib));
    else if (name === 'name') write(cell, this._page.nameOf(bib) || `Bib ${bib}`);
    else if (name === 'time') this._drawState(state, at);
    else if (name === 'gun' || name === 'chip') write(cell, formatting.exactTime(columns[name][at]));
    else if (name === 'gap') write(cell, gapAtFinish(columns.gap[at]));
    else if (name === 'pace') write(cell, formatting.pace(columns.chip[at], columns.distance[at]));
    else if (name === 'category') write(cell, this.categoryOf(bib));
    else if (name === 'club') write(cell, this._page.clubOf(bib));
    else if (SPLIT.test(name)) write(cell, formatting.duration(columns[name][at]));
  }

  _makeRow(row) {
    row.state = put(row.cells.time, 'span', 'state');
    row.star = put(row.cells.star, 'button', 'star');
    row.star.type = 'button';
    row.star.addEventListener('click', () => this._toggle(row.key));
  }

  _statusOf(at) {
    const { columns, statuses, status } = this._results;
    return formatting.shownStatus(statuses[columns.status[at]], status);
  }

  _officialOf(at) {
    const status = this._statusOf(at);
    if (status === 'finished') return formatting.officialTime(this._results.columns[this._results.rank][at]);
    return status === 'waiting' ? 'Waiting' : formatting.statusWords(status, formatting.cutOff(this._results, at));
  }

  _drawState(state, at) {
    const reason = formatting.cutOff(this._results, at);
    write(state, this._officialOf(at));
    state.title = reason && formatting.statusWords(this._statusOf(at), reason);
  }

  _toggle(bib) {
    if (!this._favourites.delete(bib)) this._favourites.add(bib);
    this.arrange();
    this._keep('favourites', [...this._favourites].sort((a, b) => a - b));
  }
}

function gapAtFinish(seconds) {
  if (seconds === null) return formatting.UNKNOWN;
  return seconds > 0 ? `+${formatting.duration(seconds)}` : '';
}
