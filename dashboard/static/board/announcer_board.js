// The announcer board: who comes next, who has just finished, and the podiums that are decided, in large type.
//
// It has a fixed number of elements and writes only what changes, so it runs all day. The style sheet shows as many
// whole rows and cards as fit.

const DRAW_MS = 250;
const TURN_MS = 12000; // for which a board that has more podiums than fit shows some of them
const LISTED_ROWS = 12; // as many as the routes send
const MOST_CARDS = 12; // more than fit on any screen
const SHORT_S = 100; // below it, a time to go is in seconds
const NEW_FOR_S = 60; // after which a podium or a finisher is no longer marked, in seconds on the wall
const PLACES_BY = { gun: 'By gun time', chip: 'By chip time' };
const OVERALL = { all: 'Overall', F: 'Women', M: 'Men', X: 'Non-binary' };

class AnnouncerBoard {
  constructor(root) {
    this._feeds = null;
    this._choice = null; // rank, and the label of a timing point: empty for the finish
    this._turn = 0;
    this._awake = new StayAwake();
    this._makeHead(root);
    this._trouble = put(root, 'p', 'trouble');
    this._trouble.setAttribute('role', 'status');
    this._trouble.hidden = true;
    this._next = new BoardList(root, 'next', ['go', 'who', 'bib', 'facts', 'expected']);
    this._done = new BoardList(root, 'done', ['place', 'who', 'time', 'facts', 'bib']);
    write(this._done.head, 'Just finished');
    this._makePodiums(root);
    this._clock = null;
    this._timer = setInterval(() => this._drawNext(), DRAW_MS);
    this._turning = setInterval(() => this._turnOn(), TURN_MS);
  }

  // data: title, note, races (prefix of requests), status, startsIn, speed, tick, rank, point, hasRanks.
  update(data, { keep }) {
    this._keep = keep;
    this._data = data;
    write(this._title, data.title);
    write(this._note, data.note);
    this._note.hidden = data.note === '';
    this._rank.hidden = !data.hasRanks;
    if (this._choice === null) this._choose({ rank: data.rank, point: data.point });
    this._clock.update(data);
    this.draw();
  }

  stop() {
    clearInterval(this._timer);
    clearInterval(this._turning);
    this._awake.stop();
    this._feeds.stop();
    this._clock.stop();
    document.removeEventListener('fullscreenchange', this._whenFull);
  }

  draw() {
    if (!this._feeds) return;
    const { payload, coming } = this._feeds;
    const sentence = troubleOf(this._feeds, this._data);
    write(this._trouble, sentence);
    this._trouble.hidden = sentence === '';
    if (coming) this._drawPoints(coming);
    this._drawNext();
    if (payload === null) return;
    this._drawDone(payload);
    this._drawPodiums(payload);
  }

  _makeHead(root) {
    const head = put(root, 'header', 'top');
    const names = put(head, 'div', 'names');
    this._title = put(names, 'h1');
    this._note = put(names, 'p', 'note');
    this._clockBox = put(head, 'div', 'clock-box');
    const tools = put(head, 'div', 'tools');
    this._point = this._select(tools, 'Next at', 'point');
    this._rank = this._select(tools, 'Places', 'rank');
    for (const [rank, word] of Object.entries(PLACES_BY)) put(this._rank, 'option', '', word).value = rank;
    this._full = put(tools, 'button', 'full', 'Full screen');
    this._full.type = 'button';
    this._full.hidden = !document.fullscreenEnabled;
    this._full.addEventListener('click', toggleFullScreen);
    this._whenFull = () => write(this._full, document.fullscreenElement ? 'Exit full screen' : 'Full screen');
    document.addEventListener('fullscreenchange', this._whenFull);
    this._whenFull();
    const leave = put(tools, 'button', 'leave', 'Leave');
    leave.type = 'button';
    leave.addEventListener('click', () => this._leave());
  }

  _select(into, word, name) {
    const select = put(into, 'select', name);
    select.setAttribute('aria-label', word);
    select.addEventListener('change', () => {
      this._choose({ ...this._choice, [name]: select.value });
      this._keep(name, select.value);
      this.draw();
    });
    return select;
  }

  _makePodiums(root) {
    const section = put(root, 'section', 'podiums');
    this._podiumHead = put(section, 'h2', '', 'Podiums');
    section.setAttribute('aria-label', 'Podiums');
    this._noPodium = put(section, 'p', 'empty');
    this._cards = put(section, 'div', 'cards');
    this._podiums = [];
  }

  // Begins with other choices.
  _choose(choice) {
    this._choice = choice;
    if (this._feeds) this._feeds.stop();
    if (this._clock) this._clock.stop();
    const { races, run } = this._data;
    this._feeds = new BoardFeeds(run, races, choice, () => this.draw());
    this._clockBox.replaceChildren();
    this._clock = new Clock(this._clockBox, this._feeds);
    this._clock.update(this._data);
    this._rank.value = choice.rank;
    this._drawPoints({ points: [], point: '' });
  }

  _leave() {
    if (document.fullscreenElement) document.exitFullscreen();
    this._keep('leave', performance.now());
  }

  // The choices of a timing point; before they are known, the one in the link.
  _drawPoints({ points }) {
    const inner = points.slice(0, -1);
    const known = new Set(inner.map(({ label }) => label));
    const { point } = this._choice;
    const labels = [...inner.map(({ label }) => label), ...(point && !known.has(point) && !points.length ? [point] : [])];
    const drawn = JSON.stringify(labels);
    if (drawn !== this._pointsDrawn) {
      this._pointsDrawn = drawn;
      this._point.replaceChildren();
      put(this._point, 'option', '', 'Next at the finish').value = '';
      for (const label of labels) {
        const one = inner.find((other) => other.label === label);
        put(this._point, 'option', '', one ? nextAt(one) : `Next at ${label}`).value = label;
      }
    }
    const shown = labels.includes(point) ? point : '';
    if (this._point.value !== shown) this._point.value = shown;
  }

  _drawNext() {
    if (!this._feeds) return;
    const { payload, coming } = this._feeds;
    const at = this._point.selectedOptions[0];
    write(this._next.head, at ? at.textContent : 'Next at the finish');
    const status = payload ? payload.status : this._data.status;
    const isOn = status === 'running' || status === 'paused';
    const now = this._clock.raceTime();
    const isIn = new Set(payload ? payload.finished.map(({ bib }) => bib) : []);
    const rows = isOn && coming && now !== null ? coming.next.filter(({ bib }) => !isIn.has(bib)) : [];
    this._next.show(
      rows.map(({ bib, name, category, club, place, there }) => ({
        go: toGo(there - now),
        who: name || `Bib ${bib}`,
        bib: name ? String(bib) : '',
        facts: [category, club].filter(Boolean).join(' · '),
        expected: place ? `expected ${ordinal(place)}` : '',
      })),
      whyNone(status, coming),
    );
  }

  _drawDone({ finished, time }) {
    const rows = finished.map(({ bib, name, category, club, place, category_place, time: took, at }) => ({
      place: String(place),
      who: name || `Bib ${bib}`,
      time: formatting.officialTime(took),
      facts: [among(category, category_place), club].filter(Boolean).join(' · '),
      bib: name ? String(bib) : '',
      isNew: time - at <= NEW_FOR_S * this._data.speed,
    }));
    // The names of all rows begin at the same place.
    this._done.list.style.setProperty('--digits', Math.max(0, ...rows.map(({ place }) => place.length)));
    this._done.show(rows, 'No finishers yet.');
  }

  _drawPodiums({ podiums, undecided, time }) {
    this._podiums = podiums;
    const left = undecided > 0 ? ` · ${undecided.toLocaleString('en')} still open` : '';
    write(this._podiumHead, podiums.length > 0 ? `Podiums${left}` : 'Podiums');
    write(this._noPodium, podiums.length > 0 ? '' : 'No podium is decided yet.');
    this._noPodium.hidden = podiums.length > 0;
    const newest = podiums.length > 0 ? `${podiums[0].kind}/${podiums[0].name}/${podiums[0].at}` : '';
    if (newest !== this._newest) this._turn = 0;
    this._newest = newest;
    this._drawCards(time);
  }

  // The newest podium stays; where not all of them fit, the others take turns.
  _drawCards(time) {
    const [newest, ...others] = this._podiums;
    const turned = others.length > 0 ? this._turn % others.length : 0;
    const shown = newest ? [newest, ...others.slice(turned), ...others.slice(0, turned)].slice(0, MOST_CARDS) : [];
    while (this._cards.children.length > shown.length) this._cards.lastChild.remove();
    while (this._cards.children.length < shown.length) makeCard(this._cards);
    shown.forEach((podium, nth) => {
      drawCard(this._cards.children[nth], podium, time - podium.at <= NEW_FOR_S * this._data.speed);
    });
  }

  _turnOn() {
    if (!this._feeds || !this._feeds.payload) return;
    const cards = [...this._cards.children];
    const fitting = cards.filter(({ offsetLeft }) => offsetLeft === cards[0].offsetLeft).length;
    if (this._podiums.length <= fitting) return;
    this._turn += Math.max(1, fitting - 1);
    this._drawCards(this._feeds.payload.time);
  }
}

// A list with a heading and a fixed number of rows, of which the style sheet shows those that fit.
class BoardList {
  // fields: the names of a row's texts, in the order in which they are read.
  constructor(root, name, fields) {
    const section = put(root, 'section', name);
    this._fields = fields;
    this.head = put(section, 'h2');
    this._empty = put(section, 'p', 'empty');
    this.list = put(section, 'ol');
    this._rows = Array.from({ length: LISTED_ROWS }, () => {
      const row = put(this.list, 'li');
      row.hidden = true;
      return { row, cells: fields.map((field) => put(row, 'span', field)) };
    });
  }

  show(rows, none) {
    this._rows.forEach(({ row, cells }, nth) => {
      const one = rows[nth];
      row.hidden = one === undefined;
      if (one === undefined) return;
      row.classList.toggle('new', one.isNew === true);
      cells.forEach((cell, at) => write(cell, one[this._fields[at]]));
    });
    write(this._empty, rows.length > 0 ? '' : none);
    this._empty.hidden = rows.length > 0;
  }
}

function makeCard(into) {
  const card = put(into, 'article', 'card');
  const head = put(card, 'h3');
  put(head, 'span', 'group');
  put(head, 'span', 'at');
  put(card, 'ol');
}

function drawCard(card, { kind, name, at, steps }, isNew) {
  const group = kind === 'category' ? name : OVERALL[name] || OVERALL.all;
  card.classList.toggle('new', isNew);
  card.classList.toggle('overall', kind !== 'category');
  write(card.querySelector('.group'), `${group} decided`);
  write(card.querySelector('.at'), formatting.officialTime(at));
  const list = card.querySelector('ol');
  while (list.children.length > steps.length) list.lastChild.remove();
  while (list.children.length < steps.length) {
    const row = put(list, 'li');
    for (const field of ['place', 'who', 'time']) put(row, 'span', field);
  }
  steps.forEach((step, nth) => {
    const [place, who, time] = list.children[nth].children;
    write(place, String(step.place));
    write(who, step.name || `Bib ${step.bib}`);
    write(time, formatting.officialTime(step.time));
  });
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => {}); // the browser refused
}

const NEXT_AT = { enter: 'Next into', exit: 'Next out of', split: 'Next at' };

// The heading of a timing point, in the viewer's units.
function nextAt({ kind, name, lap, distance }) {
  const heading = `${NEXT_AT[kind]} ${kind === 'split' ? formatting.point(name, distance) : name}`;
  return lap > 1 ? `${heading} · lap ${lap}` : heading;
}

function ordinal(number) {
  return `${number}${SUFFIXES[ORDINAL.select(number)]}`;
}

// The place in a category.
function among(category, place) {
  return category && place ? `${ordinal(place)} ${category}` : category;
}

function toGo(seconds) {
  const left = Math.ceil(Math.max(0, seconds));
  if (left === 0) return 'now';
  return left < SHORT_S ? `${left} s` : formatting.toGo(left);
}

function whyNone(status, coming) {
  if (status === 'scheduled') return 'The race has not started yet.';
  if (status === 'finished') return 'The race is over.';
  if (status === 'cancelled') return 'The race was cancelled.';
  if (coming === null) return 'Loading the forecasts…';
  return coming.points.length > 0 ? 'No competitors on the way there.' : 'There are no forecasts of this race.';
}
