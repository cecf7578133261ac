// Key figures with their change over the last minute, the age of the data, and the number of finishers.

const TICK_MS = 1000;
const STALE_AFTER_S = 10;
const STALE_AFTER_TICKS = 4;

const SIGNED = (number) => `${number > 0 ? '+' : '−'}${Math.abs(number).toLocaleString('en')}`;
const SIGNED_KM = (metres) => `+${formatting.kilometres(Math.max(0, metres))} km`;

const TILES = [
  { name: 'on_course', word: 'On the course', show: (n) => n.toLocaleString('en'), signed: SIGNED },
  { name: 'finished', word: 'Finished', show: (n) => n.toLocaleString('en'), signed: SIGNED },
  { name: 'in_fences', word: 'In a geofence', show: (n) => n.toLocaleString('en'), signed: SIGNED },
  { name: 'leader', word: 'Leader', show: (m) => `${formatting.kilometres(m)} km`, signed: SIGNED_KM },
];

class Figures {
  constructor(root) {
    this._page = page();
    this._fresh = put(root, 'p', 'fresh');
    this._trouble = put(root, 'p', 'trouble');
    this._trouble.setAttribute('role', 'status');
    const tiles = put(root, 'div', 'tiles');
    this._tiles = TILES.map((tile) => this._tile(tiles, tile));
    this._makeProgress(root);
    this._timer = setInterval(() => this._drawAge(), TICK_MS);
  }

  update(data) {
    this._data = data;
    this.draw();
  }

  stop() {
    clearInterval(this._timer);
  }

  draw() {
    const { payload } = this._page;
    this._drawAge();
    if (payload === null) return;
    this._tiles.forEach((draw) => draw(payload));
    const { finished, out } = payload.figures;
    const all = Math.max(this._data.competitors, 1);
    this._bar.style.setProperty('--part', String(finished / all));
    this._progress.setAttribute('aria-valuenow', String(finished));
    this._progress.setAttribute('aria-valuemax', String(all));
    write(this._done, `${finished.toLocaleString('en')} finished`);
    const open = `${Math.max(0, all - finished - out).toLocaleString('en')} to go`;
    write(this._open, out > 0 ? `${open}, ${out.toLocaleString('en')} out` : open);
  }

  _tile(tiles, { name, word, show, signed }) {
    const box = put(tiles, 'div', 'tile');
    box.dataset.figure = name;
    put(box, 'span', 'word', word);
    const value = put(box, 'strong', 'value', formatting.UNKNOWN);
    const change = put(box, 'span', 'change', ' ');
    return ({ figures, change: changes }) => {
      write(value, figures[name] === null ? formatting.UNKNOWN : show(figures[name]));
      const by = changes ? changes[name] : null;
      const none = by === null ? '\u00a0' : 'no change in 1 min';
      write(change, by ? `${signed(by)} in 1 min` : none);
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

  _drawAge() {
    const { answered, silence, payload } = this._page;
    const updated = answered ? `Last updated ${answered.toLocaleTimeString('en-GB')}` : '';
    const age = this._page.age();
    const old = age === null || !this._isUnderWay(payload) ? '' : ` · positions ${formatting.age(age)} old`;
    write(this._fresh, updated + old);
    const sentence = this._sentence(age);
    write(this._trouble, sentence);
    this._trouble.hidden = sentence === '';
    this._fresh.classList.toggle('old', silence !== null || sentence !== '');
  }

  // Explains why the data is old; empty if it isn't.
  _sentence(age) {
    const { silence, payload } = this._page;
    if (silence && payload === null) return `Nothing to show yet. ${silence.sentence}`;
    if (silence) return `No new data since ${silence.since.toLocaleTimeString('en-GB')}. ${silence.sentence}`;
    if (payload === null || age === null || !this._isUnderWay(payload)) return '';
    const limit = Math.max(STALE_AFTER_S, STALE_AFTER_TICKS * this._data.tick);
    if (age <= limit) return '';
    return (
      `The stream has stopped: the newest positions are ${formatting.age(age)} old. ` +
      'They resume when the simulator does.'
    );
  }

  _isUnderWay(payload) {
    return payload !== null && payload.status === 'running';
  }
}
