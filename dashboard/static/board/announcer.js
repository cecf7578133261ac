// What screen readers hear: finishers and changes of the race's state, in one live region outside the layout.
//
// Messages are collected, so that a crowd at the finish doesn't talk without end.

const PAUSE_MS = 8000; // between two messages
const NAMED = 3; // finishers by name in one message
const KEPT = 20; // messages in the log
const CHANGES = {
  running: 'The race has started.',
  paused: 'The race is paused.',
  finished: 'The race is over.',
  cancelled: 'The race was cancelled.',
};
const ORDINAL = new Intl.PluralRules('en', { type: 'ordinal' });
const SUFFIXES = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

class Announcer {
  constructor(root) {
    this._page = page();
    this._log = put(root, 'div', 'unseen');
    this._log.setAttribute('role', 'log');
    this._log.setAttribute('aria-live', 'polite');
    this._log.setAttribute('aria-label', 'Race news');
    this._status = null;
    this._known = null; // the bibs of the finishers; null before the first payload
    this._count = 0; // of all finishers; the payload may have only some of them
    this._finishers = [];
    this._others = 0; // finishers whose names the payload doesn't have
    this._sentences = [];
    this._trouble = '';
    this._timer = null;
    this._spoken = -Infinity; // performance.now() of the newest message
  }

  stop() {
    clearTimeout(this._timer);
  }

  // A new payload.
  take({ status, statuses, columns, figures }) {
    if (this._status !== null && status !== this._status) this._say(changeOf(this._status, status));
    this._status = status;
    const finished = statuses.indexOf('finished');
    const listed = columns.competitor.slice(0, this._page.listed());
    const now = listed.flatMap((bib, row) => (columns.status[row] === finished ? [row] : []));
    if (this._known !== null) {
      const others = now.filter((one) => !this._known.has(columns.competitor[one]));
      for (const row of others) {
        this._finishers.push({ bib: columns.competitor[row], place: columns.place[row], gun: columns.gun[row] });
      }
      if (listed.length < columns.competitor.length) {
        this._others += Math.max(0, figures.finished - this._count - others.length);
      }
    }
    this._known = new Set(now.map((row) => columns.competitor[row]));
    this._count = figures.finished;
    this._speakSoon();
  }

  // The sentence about old data, which is empty while the data is new.
  trouble(sentence) {
    // The age in it changes every second.
    const kind = sentence.replace(/[0-9]+/g, '');
    if (kind === this._trouble) return;
    this._say(sentence || 'The data is up to date again.');
    this._trouble = kind;
  }

  _say(sentence) {
    this._sentences.push(sentence);
    this._speakSoon();
  }

  _speakSoon() {
    if (this._timer !== null || this._sentences.length + this._finishers.length + this._others === 0) return;
    const wait = this._spoken + PAUSE_MS - performance.now();
    this._timer = setTimeout(() => this._speak(), Math.max(0, wait));
  }

  _speak() {
    this._timer = null;
    this._spoken = performance.now();
    const named = this._finishers.slice(0, NAMED).map((one) => this._finish(one));
    const more = this._finishers.length - named.length + this._others;
    if (more > 0) named.push(`${more.toLocaleString('en')} more finished.`);
    const message = [...named, ...this._sentences].join(' ');
    [this._finishers, this._sentences, this._others] = [[], [], 0];
    put(this._log, 'p', '', message);
    while (this._log.children.length > KEPT) this._log.firstChild.remove();
  }

  _finish({ bib, place, gun }) {
    const who = this._page.nameOf(bib) || `Bib ${bib}`;
    return `${who} finished ${place}${SUFFIXES[ORDINAL.select(place)]} in ${spoken(gun)}.`;
  }
}

function changeOf(before, status) {
  return before === 'paused' && status === 'running' ? 'The race was resumed.' : CHANGES[status] || '';
}

// An official time as it is said: 17:32, or 1:05:09.
function spoken(gun) {
  return formatting.officialTime(gun).replace(/^0:/, '');
}
