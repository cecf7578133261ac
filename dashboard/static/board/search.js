// The search field: finds competitors by bib, or by a part of the name or the club.

class Search {
  constructor(into, onChange) {
    this._field = put(into, 'input', 'search');
    Object.assign(this._field, { type: 'search', autocomplete: 'off', spellcheck: false });
    this._field.addEventListener('input', onChange);
    this._names = null;
    this._prepare(new Map());
  }

  get text() {
    return this._field.value.trim();
  }

  set text(text) {
    this._field.value = text;
  }

  // The start list to search in.
  offer(names) {
    if (names === this._names) return;
    this._names = names;
    this._prepare(names.byBib);
    const hasClubs = [...names.byBib.values()].some(({ club }) => club !== '');
    this._field.placeholder = hasClubs ? 'Find a bib, a name or a club' : 'Find a bib or a name';
    this._field.setAttribute('aria-label', this._field.placeholder);
  }

  // A function that says of a bib whether it is found.
  matcher() {
    const wanted = this.text.toLowerCase();
    if (wanted === '') return () => true;
    const number = Number(wanted);
    this._find(wanted);
    return (bib) => bib === number || this._found[this._rows.get(bib)] === 1;
  }

  // With each further letter only what the ones before have found is searched.
  _find(wanted) {
    if (wanted === this._wanted) return;
    if (!wanted.includes(this._wanted)) this._found.fill(1);
    this._wanted = wanted;
    this._texts.forEach((text, row) => {
      if (this._found[row]) this._found[row] = Number(text.includes(wanted));
    });
  }

  _prepare(byBib) {
    this._rows = new Map([...byBib.keys()].map((bib, row) => [bib, row]));
    this._texts = [...byBib.values()].map(({ name, club }) => `${name}\n${club}`.toLowerCase());
    this._wanted = '';
    this._found = new Uint8Array(this._texts.length).fill(1); // by row, whether it has what is wanted
  }
}
