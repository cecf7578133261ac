// State shared by the page's components: the newest payload of the race, as received from the map's frame.
//
// Map and leaderboard use the same payload, requested once: by the layer in the map's frame, which passes it
// to this window in events.

const { formatting } = window.Racecast;

class Page {
  constructor() {
    this.run = null;
    this.payload = null;
    this.names = { count: 0, byBib: new Map(), categories: [] };
    this._people = null; // the start list of those who were looked up
    this.followed = null; // the bib that the map follows
    this.arrived = null; // performance.now() of the newest payload
    this.answered = null; // Date of the newest response
    this.silence = null; // {since, sentence} while there is no response
    this.moment = null; // race seconds that the map shows instead of the newest
    this.rest = null; // those on which it rests
    this.forecasts = null; // the newest (forecasts.js), or null
    this.outline = ''; // changes when Streamlit's part of the page may be outdated
    this._parts = new Set();
    for (const kind of ['payload', 'names', 'silence', 'answer', 'follow', 'moment', 'rest', 'outline', 'forecasts']) {
      window.addEventListener(`racecast:${kind}`, ({ detail }) => this._hear(kind, detail));
    }
  }

  // draw(kind) is called with each event of the shown race; returns a function that unsubscribes.
  subscribe(draw) {
    this._parts.add(draw);
    return () => this._parts.delete(draw);
  }

  // Age of the newest position in seconds, or null before the first.
  age() {
    if (this.payload === null || this.payload.age === null) return null;
    return Math.max(0, this.payload.age + (performance.now() - this.arrived) / 1000);
  }

  nameOf(bib) {
    const known = this.names.byBib.get(bib);
    return known ? known.name : '';
  }

  clubOf(bib) {
    const known = this.names.byBib.get(bib);
    return known ? known.club : '';
  }

  // The number of the payload's first rows that the leaderboard has: all, unless the payload has a sample.
  listed() {
    if (this.payload === null) return 0;
    return this.payload.listed ?? this.payload.columns.competitor.length;
  }

  // Names of competitors who are not in the start list that the page has.
  know(people) {
    this._people = people;
    if (this._withPeople(this.names) === this.names) return;
    window.dispatchEvent(new CustomEvent('racecast:names', { detail: { run: this.run, names: this.names } }));
  }

  _withPeople(names) {
    return this._people ? window.Racecast.withNamesOf(names, this._people) : names;
  }

  // Shows a competitor on the map.
  show(bib) {
    window.dispatchEvent(new CustomEvent('racecast:show', { detail: { bib } }));
  }

  _hear(kind, detail) {
    if (detail.run !== this.run) return; // a frame being removed
    if (kind === 'payload') {
      this.payload = detail.payload;
      this.arrived = performance.now();
    }
    if (kind === 'names') this.names = this._withPeople(detail.names);
    if (kind === 'follow') this.followed = detail.bib;
    if (kind === 'forecasts') this.forecasts = detail.forecasts;
    if (kind === 'outline') this.outline = detail.outline;
    if (kind === 'moment') this.moment = detail.time;
    if (kind === 'rest') this.rest = detail.time;
    if (kind === 'answer') {
      this.answered = new Date();
      this.silence = null;
    }
    if (kind === 'silence') this.silence = { since: this.silence ? this.silence.since : new Date(), ...detail };
    for (const draw of this._parts) draw(kind);
  }

  // Switch to another race.
  begin(run) {
    this.run = run;
    this.payload = null;
    this.silence = null;
    this.moment = null;
    this.rest = null;
    this.forecasts = null;
    this.outline = '';
    this.names = { count: 0, byBib: new Map(), categories: [] };
    this._people = null;
  }
}

function page() {
  window.racecastPage = window.racecastPage || new Page();
  return window.racecastPage;
}

// Append a new element with a class and a text to another.
function put(into, tag, name = '', text = '') {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  into.append(element);
  return element;
}

// Writing only changes keeps selections, and saves work for the browser and screen readers.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
