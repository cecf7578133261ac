// What the parts of the page share: the newest picture of the race, as the map's frame tells it.
//
// One picture serves map and leaderboard alike, and it is asked for once: by the layer in the map's frame,
// which tells this window of each by an event.

const { formatting } = window.Racecast;

class Page {
  constructor() {
    this.run = null;
    this.picture = null;
    this.names = { count: 0, byBib: new Map(), categories: [] };
    this.arrived = null; // performance.now() of the newest picture
    this.answered = null; // Date of the newest answer
    this.silence = null; // {since, sentence} while nothing answers
    this._parts = new Set();
    for (const kind of ['picture', 'names', 'silence', 'answer']) {
      window.addEventListener(`racecast:${kind}`, ({ detail }) => this._hear(kind, detail));
    }
  }

  // draw(kind) is called with each event about the race that is shown; returns how to end that.
  subscribe(draw) {
    this._parts.add(draw);
    return () => this._parts.delete(draw);
  }

  // Seconds since the newest position was made, or null before the first.
  age() {
    if (this.picture === null || this.picture.age === null) return null;
    return Math.max(0, this.picture.age + (performance.now() - this.arrived) / 1000);
  }

  nameOf(bib) {
    const known = this.names.byBib.get(bib);
    return known ? known.name : '';
  }

  clubOf(bib) {
    const known = this.names.byBib.get(bib);
    return known ? known.club : '';
  }

  // Shows a competitor on the map.
  show(bib) {
    window.dispatchEvent(new CustomEvent('racecast:show', { detail: { bib } }));
  }

  _hear(kind, detail) {
    if (detail.run !== this.run) return; // a frame on its way out
    if (kind === 'picture') {
      this.picture = detail.picture;
      this.arrived = performance.now();
    }
    if (kind === 'names') this.names = detail.names;
    if (kind === 'answer') {
      this.answered = new Date();
      this.silence = null;
    }
    if (kind === 'silence') this.silence = { since: this.silence ? this.silence.since : new Date(), ...detail };
    for (const draw of this._parts) draw(kind);
  }

  // Another race is shown from now on.
  begin(run) {
    this.run = run;
    this.picture = null;
    this.silence = null;
    this.names = { count: 0, byBib: new Map(), categories: [] };
  }
}

function page() {
  window.racecastPage = window.racecastPage || new Page();
  return window.racecastPage;
}

// A new element with a class and a text, put into another.
function put(into, tag, name = '', text = '') {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  into.append(element);
  return element;
}

// Writing only what is new keeps selections, and spares the browser and screen readers work.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
