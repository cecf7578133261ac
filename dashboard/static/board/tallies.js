// How many are where, with the change over the last minute, and the progress of the race.

const TALLIES = [
  { name: 'on_course', word: 'On the course', cancelled: 'Stopped' },
  { name: 'finished', word: 'Finished' },
  { name: 'in_fences', word: 'In a geofence' },
];

class Tallies {
  constructor(root) {
    this._page = page();
    this._box = put(root, 'div', 'numbers');
    const counts = put(this._box, 'div', 'counts');
    this._tallies = TALLIES.map((one) => this._tally(counts, one));
    this._makeProgress(this._box);
  }

  update(data) {
    this._data = data;
    this.draw();
  }

  stop() {}

  draw() {
    const { payload } = this._page;
    // Before the start there is nothing to count.
    this._box.hidden = payload !== null && payload.columns.competitor.length === 0;
    if (payload === null) return;
    this._tallies.forEach((draw) => draw(payload));
    const { finished, out } = payload.figures;
    const all = Math.max(this._data.competitors, 1);
    this._bar.style.setProperty('--part', String(finished / all));
    this._progress.setAttribute('aria-valuenow', String(finished));
    this._progress.setAttribute('aria-valuemax', String(all));
    write(this._done, `${finished.toLocaleString('en')} finished`);
    const left = payload.status === 'cancelled' ? 'stopped' : 'to go';
    const open = `${Math.max(0, all - finished - out).toLocaleString('en')} ${left}`;
    write(this._open, out > 0 ? `${open}, ${out.toLocaleString('en')} out` : open);
  }

  _tally(tallies, { name, word, cancelled }) {
    const box = put(tallies, 'div', 'tile tally');
    box.dataset.figure = name;
    const head = put(box, 'span', 'word', word);
    const value = put(box, 'strong', 'value', formatting.UNKNOWN);
    const change = put(box, 'span', 'change');
    return ({ figures, change: changes, status }) => {
      write(head, (status === 'cancelled' && cancelled) || word);
      write(value, figures[name].toLocaleString('en'));
      const by = changes ? changes[name] : null;
      write(change, by ? `${by > 0 ? '+' : '−'}${Math.abs(by).toLocaleString('en')} in 1 min` : '');
      change.dataset.way = by > 0 ? 'up' : by < 0 ? 'down' : '';
    };
  }

  _makeProgress(root) {
    this._progress = put(root, 'div', 'progress');
    this._progress.setAttribute('role', 'progressbar');
    this._progress.setAttribute('aria-label', 'Finished');
    this._progress.setAttribute('aria-valuemin', '0');
    this._bar = put(this._progress, 'div', 'bar');
    const words = put(root, 'p', 'progress-words');
    this._done = put(words, 'span', 'done');
    this._open = put(words, 'span', 'open');
  }
}
