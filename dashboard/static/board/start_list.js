// The start list: all entrants. On pages without a map it gets them itself.

class StartList extends RaceList {
  constructor(root) {
    super(root, 'Start list');
    this.ordered = 'bib';
    this._people = null; // those of `_bibs`, also while the page turns to another race
    this._bibs = null;
  }

  renew() {
    this._bibs = null;
    super.renew();
  }

  bibs() {
    if (this._bibs === null) {
      this._people = this._page.names.byBib;
      this._bibs = [...this._people.keys()].sort((a, b) => a - b);
    }
    return this._bibs;
  }

  columns() {
    const isLong = this.bibs().some((bib) => bib >= LONG_BIB);
    const people = [...this._people.values()];
    return [
      { name: 'bib', word: 'Bib', rem: isLong ? 4.4 : 3.4, sorts: true, sticks: true },
      { name: 'name', word: 'Name', least: 9, sorts: true, isText: true, sticks: true },
      { name: 'category', word: 'Category', rem: 5.6, sorts: true, isText: true },
      ...(this.hasClubs() ? [{ name: 'club', word: 'Club', least: 8, sorts: true, isText: true }] : []),
      ...(people.some(({ wave }) => wave > 1) ? [{ name: 'wave', word: 'Wave', rem: 4.2, sorts: true }] : []),
    ];
  }

  values(name) {
    return this.bibs().map((bib) => this._valueOf(bib, name));
  }

  sentence(shown, all) {
    return this.counted(shown, all);
  }

  whyEmpty(all) {
    return all ? 'No matches.' : 'The start list is not here yet.';
  }

  drawCell({ cells }, name, at) {
    const bib = this.bibs()[at];
    const value = this._valueOf(bib, name);
    write(cells[name], name === 'name' ? value || `Bib ${bib}` : String(value));
  }

  _valueOf(bib, name) {
    if (name === 'bib') return bib;
    return name === 'category' ? this.categoryOf(bib) : this._people.get(bib)[name];
  }
}
