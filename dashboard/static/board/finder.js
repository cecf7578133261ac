// Finds competitors who are not among the rows of a list, because a sample shows the race: the dashboard looks them up.
//
// One request is under way at a time. With each payload what was asked for is asked again, for competitors move.

const FIND_AFTER_MS = 400; // after the last key
const FIND_AGAIN_MS = 2000; // after a failure

class Finder {
  // onFound(found) is called with each response: `columns`, `statuses`, `people` and `more`.
  constructor(onFound) {
    this._onFound = onFound;
    this._asked = '';
    this._timer = null;
    this._isAsking = false;
    this._isOld = false; // while a request is under way: another one has to follow
    this.found = null;
  }

  // The address of the dashboard's route; without one there is nothing to find.
  use(address) {
    this._address = address;
  }

  get isAsking() {
    return this._asked !== '' && this.found === null;
  }

  stop() {
    clearTimeout(this._timer);
    this._address = undefined;
  }

  // Asks for competitors with this text, and for those with these bibs.
  want(text, bibs) {
    const asked = text === '' && bibs.length === 0 ? '' : `text=${encodeURIComponent(text)}&bibs=${bibs.join(',')}`;
    if (asked === this._asked || !this._address) return;
    this._asked = asked;
    this.found = null;
    this._askIn(FIND_AFTER_MS);
  }

  // There is a new payload.
  renew() {
    if (this._asked !== '' && this.found !== null) this._askIn(0);
  }

  _askIn(milliseconds) {
    clearTimeout(this._timer);
    if (this._asked !== '') this._timer = setTimeout(() => this._ask(), milliseconds);
  }

  async _ask() {
    this._isOld = this._isAsking;
    if (this._isAsking || !this._address) return;
    this._isAsking = true;
    const asked = this._asked;
    const found = await this._answer(asked);
    this._isAsking = false;
    if (!this._address) return;
    if (asked !== this._asked || this._isOld) this._askIn(0);
    else if (found === null) this._askIn(FIND_AGAIN_MS);
    if (found === null || asked !== this._asked) return;
    this.found = found;
    this._onFound(found);
  }

  async _answer(asked) {
    try {
      const answer = await fetch(`${this._address}?${asked}`, { cache: 'no-store' });
      return answer.ok ? await answer.json() : null;
    } catch (_error) {
      return null; // the feed says that the dashboard does not respond
    }
  }
}

// A payload with the first rows of another, followed by the rows of those found who are not among them.
function withFound(payload, listed, found) {
  const first = (values) => values.slice(0, listed);
  const { competitor, drawn } = payload.columns;
  const known = new Set(first(competitor));
  const onMap = new Set(competitor.filter((_bib, row) => drawn[row] === 1));
  const others = found ? found.columns.competitor : [];
  const rows = others.flatMap((bib, row) => (known.has(bib) ? [] : [row]));
  const valueOf = (name, row) => (name === 'drawn' ? Number(onMap.has(others[row])) : found.columns[name][row]);
  const columns = Object.fromEntries(
    Object.entries(payload.columns).map(([name, values]) => [
      name,
      [...first(values), ...rows.map((row) => valueOf(name, row))],
    ]),
  );
  return { ...payload, columns };
}
