// Who is expected in the next minutes: at each timing point with any, how many and the next of them.

const EXPECTED_REDRAW_MS = 250; // of the times to go
const NEXT = 4; // competitors listed at a point

class Expected {
  constructor(root) {
    this._page = page();
    this._box = put(root, 'section', 'panel expected');
    this._box.setAttribute('aria-label', 'Expected in the next 5 minutes');
    put(this._box, 'h2', '', 'Expected in the next 5 minutes');
    this._asOf = put(this._box, 'p', 'as-of');
    this._points = put(this._box, 'div', 'points');
    this._points.tabIndex = 0;
    this._points.setAttribute('role', 'region');
    this._points.setAttribute('aria-label', 'Expected by timing point');
    this._empty = put(this._points, 'p', 'empty');
    this._rows = [];
    this._timer = setInterval(() => this.draw(), EXPECTED_REDRAW_MS);
  }

  // data: speed (race seconds per second), tick (seconds).
  update(data) {
    const { speed, tick } = data;
    if (this._data?.speed !== speed || this._data?.tick !== tick) this._clock = new window.Racecast.RaceClock(data);
    this._data = data;
    this.draw();
  }

  stop() {
    clearInterval(this._timer);
  }

  draw() {
    if (!this._data) return;
    const { forecasts, payload } = this._page;
    this._clock.take(payload, this._page.arrived);
    const now = this._clock.time();
    const isKnown = forecasts !== null && forecasts.points.length > 0 && now !== null;
    const rows = isKnown ? this._listed(forecasts, now) : [];
    write(this._asOf, isKnown ? asOfText(forecasts) : '');
    write(this._empty, isKnown ? 'No one is expected at a timing point.' : 'The first forecasts are on their way.');
    this._empty.hidden = rows.length > 0;
    while (this._rows.length > rows.length) this._rows.pop().element.remove();
    while (this._rows.length < rows.length) this._rows.push(this._makeRow());
    rows.forEach((row, nth) => this._drawRow(this._rows[nth], row));
  }

  // The points at which anyone is expected, the finish first: their name, how many, and the next ones.
  _listed({ points, soon, step }, now) {
    const found = points.map((point, nth) => {
      const { count, competitor, there } = soon[nth];
      const next = competitor.map((bib, i) => ({ bib, toGo: there[i] - now })).filter(({ toGo }) => toGo >= 0);
      return { name: window.Racecast.forecastWords.pointName(point), count, step, next: next.slice(0, NEXT) };
    });
    return found.filter(({ next }) => next.length > 0).reverse();
  }

  _makeRow() {
    const element = put(this._points, 'div', 'point');
    const where = put(element, 'div', 'where');
    return {
      element,
      name: put(where, 'span', 'name'),
      count: put(where, 'span', 'how-many'),
      next: put(element, 'ol', 'who-next'),
    };
  }

  _drawRow(row, { name, count, step, next }) {
    write(row.name, name);
    write(row.count, countText(count, step));
    while (row.next.children.length > next.length) row.next.lastChild.remove();
    while (row.next.children.length < next.length) this._makeEntry(row.next);
    next.forEach(({ bib, toGo }, nth) => {
      const [who, fact] = row.next.children[nth].children;
      row.next.children[nth].dataset.bib = String(bib);
      write(who, this._page.nameOf(bib) || `Bib ${bib}`);
      write(fact, formatting.toGo(toGo));
    });
  }

  _makeEntry(into) {
    const entry = put(into, 'li');
    const who = put(entry, 'button', 'who');
    Object.assign(who, { type: 'button', title: 'Show on the map' });
    who.addEventListener('click', () => this._page.show(Number(entry.dataset.bib)));
    put(entry, 'span', 'fact');
  }
}

// A sample is counted for all: it is spread evenly over the field.
function countText(count, step) {
  return `${step > 1 ? 'about ' : ''}${(count * step).toLocaleString('en')} expected`;
}

function asOfText({ time, step }) {
  const sample = step > 1 ? `, estimated from one in ${step} competitors` : '';
  return `Forecast at ${formatting.raceTime(time)}${sample}`;
}
