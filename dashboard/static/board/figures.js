// The race at a glance: the age of the data, clock and leaders.

const TICK_MS = 1000;
const STALE_AFTER_S = 10;
const STALE_AFTER_TICKS = 4;

class Figures {
  constructor(root) {
    this._page = page();
    this._announcer = new Announcer(root);
    this._fresh = put(root, 'p', 'fresh');
    this._trouble = put(root, 'p', 'trouble');
    const head = put(root, 'div', 'head');
    this._clock = new Clock(head);
    this._leaders = new Leaders(head);
    this._timer = setInterval(() => this._drawAge(), TICK_MS);
  }

  update(data) {
    this._data = data;
    this._clock.update(data);
    this._leaders.update(data);
    this.draw();
  }

  stop() {
    clearInterval(this._timer);
    this._clock.stop();
    this._announcer.stop();
  }

  draw(kind) {
    const { payload } = this._page;
    this._drawAge();
    this._clock.draw();
    this._leaders.draw();
    if (payload !== null && kind === 'payload') this._announcer.take(payload);
  }

  _drawAge() {
    const { answered, silence, payload } = this._page;
    const updated = answered ? `Last updated ${formatting.clock(answered)}` : '';
    const age = this._page.age();
    const old = age === null || !isUnderWay(payload) ? '' : ` · positions ${formatting.age(age)} old`;
    write(this._fresh, updated + old);
    const sentence = troubleOf(this._page, this._data);
    write(this._trouble, sentence);
    this._announcer.trouble(sentence);
    this._trouble.hidden = sentence === '';
    this._fresh.classList.toggle('old', silence !== null || sentence !== '');
  }
}

// Why the data of a source (payload, age() and silence) is old; empty if it isn't. data: tick (seconds).
function troubleOf(source, data) {
  const { silence, payload } = source;
  if (silence && payload === null) return `Nothing to show yet. ${silence.sentence}`;
  if (silence) return `No new data since ${formatting.clock(silence.since)}. ${silence.sentence}`;
  const age = source.age();
  if (payload === null || age === null || !isUnderWay(payload)) return '';
  if (age <= Math.max(STALE_AFTER_S, STALE_AFTER_TICKS * data.tick)) return '';
  return (
    `The stream has stopped: the newest positions are ${formatting.age(age)} old. ` +
    'They resume when the simulator does.'
  );
}

function isUnderWay(payload) {
  return payload !== null && payload.status === 'running';
}
