// Choices of a category, a sex and a club, each offered where the start list has more than one.
//
// `onChange(isSettled)` is called with every change; a club that is still being typed is not settled.

const MOST_OFFERED = 500; // of a category or club, the most frequent: browsers become slow with more
const SEXES = { F: 'Women', M: 'Men', X: 'Non-binary' };

class Filters {
  constructor(into, onChange) {
    this._onChange = onChange;
    this._names = { byBib: new Map(), categories: [] };
    this._clubs = []; // by frequency
    this._wanted = null; // the choices, prepared once they are needed
    this._box = put(into, 'div', 'filters');
    this._box.setAttribute('role', 'group');
    this._box.setAttribute('aria-label', 'Filters');
    this._sex = this._select('sex', 'Sex');
    this._category = this._select('category', 'Category');
    this._makeClub();
    this._clear = put(this._box, 'button', 'clear', 'Clear');
    this._clear.type = 'button';
    this._clear.setAttribute('aria-label', 'Clear the filters');
    this._clear.addEventListener('click', () => {
      this.set({});
      this._onChange(true);
      this._fields().find(({ hidden }) => !hidden)?.focus(); // the button is hidden now
    });
    this.set({});
  }

  // Offers what occurs in the start list: `names` has `categories` and, by bib, category (its index), club, sex.
  offer(names) {
    this._names = names;
    const people = [...names.byBib.values()];
    const clubs = byFrequency(people.map(({ club }) => club));
    this._clubs = clubs;
    this._wanted = null;
    this._clubList.replaceChildren(...clubs.slice(0, MOST_OFFERED).sort(compare).map((club) => new Option(club, club)));
    this._offered = {
      sex: Object.keys(SEXES).filter((sex) => people.some((one) => one.sex === sex)),
      category: names.categories.slice(0, MOST_OFFERED).sort(compare),
      club: clubs,
    };
    this._draw();
  }

  matches(bib) {
    if (!this.isOn) return true;
    const one = this._names.byBib.get(bib);
    if (!one) return false;
    this._wanted ||= this._prepare();
    const { sex, category, clubs } = this._wanted;
    return (
      (!sex || one.sex === sex) &&
      (category === null || one.category === category) &&
      (clubs === null || clubs.has(one.club))
    );
  }

  get isOn() {
    const { category, club, sex } = this._state;
    return Boolean(category || club || sex);
  }

  // Places among those who match, by row of these columns of competitors and their places; equal places stay equal.
  // Only the first rows count, up to `end`, if the others have no places or miss some.
  places({ competitor, place }, end = competitor.length) {
    const found = new Map();
    if (!this.isOn) return found;
    let before = { place: 0, among: 0 };
    competitor.forEach((bib, row) => {
      if (row >= end || place[row] === 0 || !this.matches(bib)) return;
      before = { place: place[row], among: place[row] === before.place ? before.among : found.size + 1 };
      found.set(row, before.among);
    });
    return found;
  }

  // The choices in words: "Women · W40 · City Milers"; empty if all competitors match.
  words() {
    const { sex, category, club } = this._state;
    return [SEXES[sex], category, club].filter(Boolean).join(' · ');
  }

  // The choices as an object of texts, without those that are open.
  state() {
    return Object.fromEntries(Object.entries(this._state).filter(([, value]) => value));
  }

  set({ category = '', club = '', sex = '' }) {
    this._state = { category, club, sex: sex in SEXES ? sex : '' };
    this._wanted = null;
    this._draw();
  }

  // The choices as the start list has them, for there may be many to compare.
  _prepare() {
    const { category, club, sex } = this._state;
    return {
      sex,
      category: category ? this._names.categories.indexOf(category) : null,
      clubs: club ? this._clubsLike(club.toLowerCase()) : null,
    };
  }

  // A whole name means that club; other texts mean all clubs that contain them.
  _clubsLike(wanted) {
    const whole = this._clubs.filter((club) => club.toLowerCase() === wanted);
    return new Set(whole.length ? whole : this._clubs.filter((club) => club.toLowerCase().includes(wanted)));
  }

  _select(name, label) {
    const select = put(this._box, 'select', `filter ${name}`);
    select.setAttribute('aria-label', label);
    select.addEventListener('change', () => this._take(true));
    return select;
  }

  _makeClub() {
    this._clubList = put(this._box, 'datalist');
    this._clubList.id = 'clubs';
    this._club = put(this._box, 'input', 'filter club');
    Object.assign(this._club, { type: 'text', autocomplete: 'off', placeholder: 'Any club' });
    this._club.setAttribute('aria-label', 'Club');
    this._club.setAttribute('list', 'clubs');
    this._club.addEventListener('input', () => this._take(false));
    this._club.addEventListener('change', () => this._take(true));
  }

  _take(isSettled) {
    this._state = { category: this._category.value, club: this._club.value.trim(), sex: this._sex.value };
    this._wanted = null;
    this._clear.hidden = !this.isOn;
    this._onChange(isSettled);
  }

  _draw() {
    const { sex = [], category = [], club = [] } = this._offered || {};
    this._fill(this._sex, 'Any sex', sex, this._state.sex, (value) => SEXES[value]);
    this._fill(this._category, 'Any category', category, this._state.category, (value) => value);
    if (this._club.value.trim() !== this._state.club) this._club.value = this._state.club;
    this._club.hidden = club.length < 2 && !this._state.club;
    this._clear.hidden = !this.isOn;
    this._box.hidden = this._fields().every(({ hidden }) => hidden);
  }

  _fields() {
    return [this._sex, this._category, this._club];
  }

  // Offers the options, and the chosen value even if it isn't among them: a link may be older than the start list.
  _fill(select, everyone, options, chosen, word) {
    const all = chosen && !options.includes(chosen) ? [...options, chosen] : options;
    select.replaceChildren(new Option(everyone, ''), ...all.map((value) => new Option(word(value), value)));
    select.value = chosen;
    select.hidden = options.length < 2 && !chosen;
  }
}

function compare(one, other) {
  return one.localeCompare(other, 'en', { numeric: true });
}

// The distinct texts that aren't empty, the most frequent first.
function byFrequency(texts) {
  const counts = new Map();
  for (const text of texts) if (text) counts.set(text, (counts.get(text) || 0) + 1);
  return [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one));
}
