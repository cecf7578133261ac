// The teams: clubs with their best finishers' places or times added up. The dashboard scores them, by the viewer's
// choices; the list asks for them whenever the results have another version.

const RULES = {
  who: { label: 'Who scores', words: { all: 'All', women: 'Women', men: 'Men', mixed: 'Mixed' } },
  by: { label: 'Teams by', words: { place: 'By place', time: 'By time' } },
};
const TEAMS_AGAIN_MS = 2_000; // after a failure

class Teams {
  constructor(root) {
    this._root = root;
    root.classList.add('list');
    this._data = null;
    this._found = null;
    this._asked = '';
    this._order = { name: 'place', isFalling: false };
    this._choices = put(root, 'div', 'filters');
    this._choices.setAttribute('role', 'group');
    this._choices.setAttribute('aria-label', 'Team scoring');
    this._fields = {};
    for (const name of ['who', 'scorers', 'by']) this._makeChoice(name);
    this._caption = put(root, 'p', 'caption');
    this._printed = put(root, 'p', 'print-head');
    this._caption.setAttribute('role', 'status');
    this._trouble = put(root, 'p', 'trouble');
    this._trouble.setAttribute('role', 'status');
    this._trouble.hidden = true;
    this._table = new Table(root, {
      label: 'Teams',
      make: (row) => this._makeRow(row),
      draw: (row, team) => this._drawRow(row, team),
      keyOf: ({ scorers }) => scorers[0].bib,
      sort: (name) => this._sortBy(name),
    });
  }

  // data: the prefix of requests about the race, the rank, the version of the results, the rules, and whether the
  // dashboard has read the whole race.
  update(data, { keep }) {
    this._keep = keep;
    if (!this._data) this._offer(data);
    this._data = data;
    if (data.whole) this._ask();
    else this._stayEmpty();
  }

  draw(kind) {
    if (kind === 'names') this._offerSexes();
  }

  stop() {
    clearTimeout(this._timer);
    this._data = null;
    this._table.stop();
  }

  get _rules() {
    return Object.fromEntries(Object.entries(this._fields).map(([name, { value }]) => [name, value]));
  }

  _makeChoice(name) {
    const field = put(this._choices, 'select', `filter ${name}`);
    field.setAttribute('aria-label', name === 'scorers' ? 'Scorers of a team' : RULES[name].label);
    field.addEventListener('change', () => {
      this._ask();
      this._keep('rules', this._rules);
    });
    this._fields[name] = field;
  }

  _offer({ rules, most: [fewest, most] }) {
    const { scorers } = this._fields;
    for (let count = fewest; count <= most; count += 1) scorers.append(new Option(`${count} scorers`, String(count)));
    for (const [name, { words }] of Object.entries(RULES)) {
      for (const [value, word] of Object.entries(words)) this._fields[name].append(new Option(word, value));
    }
    for (const [name, field] of Object.entries(this._fields)) field.value = String(rules[name]);
    this._offerSexes();
  }

  // Without sexes in the start list all are scored together; a link may have asked for something else.
  _offerSexes() {
    const hasSexes = [...page().names.byBib.values()].some(({ sex }) => sex);
    this._fields.who.hidden = !hasSexes && this._fields.who.value === 'all';
  }

  async _ask() {
    const { races, rank, version, whole } = this._data;
    const query = new URLSearchParams({ rank, ...this._rules });
    const asked = `${query}#${version}`;
    if (!whole || asked === this._asked) return;
    this._asked = asked;
    clearTimeout(this._timer);
    const found = await this._answer(`${races}/teams?${query}`);
    if (asked !== this._asked || !this._data) return; // another request has followed, or another page
    write(this._trouble, found.detail || '');
    this._trouble.hidden = !found.detail;
    if (found.teams) {
      this._found = found;
      this._arrange();
      return;
    }
    this._asked = '';
    this._timer = setTimeout(() => this._data && this._ask(), TEAMS_AGAIN_MS);
  }

  // The payload, or why there is none, in `detail`.
  async _answer(address) {
    try {
      const answer = await fetch(address, { cache: 'no-store' });
      if (answer.ok) return await answer.json();
      const problem = await answer.json().catch(() => ({}));
      return { detail: problem.detail || `The dashboard responded with status ${answer.status}.` };
    } catch (_error) {
      return { detail: 'The dashboard does not respond.' };
    }
  }

  _arrange() {
    const { teams } = this._found;
    this._table.setColumns(this._columns());
    this._table.setSorted(this._order.name, this._order.isFalling);
    write(this._caption, this._sentence());
    write(this._printed, this._sentence());
    this._root.style.setProperty('--rows', String(Math.max(teams.length, LEAST_ROWS)));
    const rows = [...teams.keys()];
    const { name, isFalling } = this._order;
    const isAsGiven = name === 'place' && !isFalling;
    const order = isAsGiven ? rows : sortRows(rows, teams.map((team) => team[name]), isFalling);
    this._table.show(order.map((row) => teams[row]), 'No finisher with a club yet.');
  }

  _stayEmpty() {
    this._table.element.parentElement.hidden = true;
    write(this._caption, 'This race is too large for a table of teams. The CSV has all teams by these rules.');
  }

  _columns() {
    const { by, scorers, over } = this._found;
    return [
      { name: 'place', word: 'Place', rem: 3.4, sorts: true, sticks: true },
      { name: 'club', word: 'Team', least: 8, sorts: true, isText: true, sticks: true },
      { name: 'score', word: by === 'place' ? 'Points' : 'Total time', rem: 4.8, sorts: true },
      { name: 'finished', word: 'Finished', rem: 4.6, sorts: true },
      ...(over ? [] : [{ name: 'to_come', word: 'To come', rem: 4.6, sorts: true }]),
      ...Array.from({ length: scorers }, (_, nth) => ({
        name: `scorer_${nth}`,
        word: `Scorer ${nth + 1}`,
        rem: by === 'place' ? 11 : 13,
        isText: true,
      })),
    ];
  }

  _makeRow(row) {
    row.club = put(row.cells.club, 'span', 'two-lines');
  }

  _drawRow({ cells, club: name, element }, { place, club, score, finished, to_come: toCome, scorers }) {
    const { by } = this._found;
    element.classList.toggle('incomplete', place === null);
    write(cells.place, place === null ? formatting.UNKNOWN : String(place));
    write(name, club);
    write(cells.score, by === 'place' ? score.toLocaleString('en') : formatting.raceTime(score));
    write(cells.finished, finished.toLocaleString('en'));
    if (cells.to_come) write(cells.to_come, toCome.toLocaleString('en'));
    for (let nth = 0; nth < this._found.scorers; nth += 1) {
      write(cells[`scorer_${nth}`], scorerIn(scorers[nth], by));
    }
  }

  _sentence() {
    const { teams, rank, who, by, scorers } = this._found;
    const half = Math.floor(scorers / 2);
    const rules = [
      `${scorers} best finishers count, by ${by === 'place' ? 'place' : 'official time'}`,
      ...(who === 'mixed' ? [`at least ${half} of them women, and ${half} men`] : []),
      RANK_WORDS[rank].toLowerCase(),
    ];
    if (!teams.length) return rules.join(' · ');
    const complete = teams.filter(({ place }) => place !== null).length.toLocaleString('en');
    return [`${complete} of ${teams.length.toLocaleString('en')} teams are complete`, ...rules].join(' · ');
  }

  _sortBy(name) {
    this._order = { name, isFalling: this._order.name === name && !this._order.isFalling };
    this._arrange();
    this._table.toTop();
  }
}

// "3 · Anna Berg", or with the official time instead of the place.
function scorerIn(scorer, by) {
  if (!scorer) return '';
  const name = scorer.name || `Bib ${scorer.bib}`;
  return `${by === 'place' ? scorer.place : formatting.raceTime(scorer.time)} · ${name}`;
}
