// Short lists: leaders, at the front, at the back, just finished, and current geofence visits with their durations.

const STAYS = 5;

// pick gets the rows of all competitors, of those on the course and of finishers, each in order of place.
const LISTS = {
  leaders: {
    title: 'Leaders',
    none: 'No competitors have started.',
    pick: ({ placed }, most) => placed.slice(0, most),
    fact: (columns, row, isFinished) => (isFinished ? finishTime(columns, row) : covered(columns, row)),
  },
  front: {
    title: 'At the front',
    none: 'No competitors on the course.',
    pick: ({ onCourse }, most) => onCourse.slice(0, most),
    fact: covered,
  },
  back: {
    title: 'At the back',
    none: 'No competitors on the course.',
    pick: ({ onCourse }, most) => onCourse.slice(-most).reverse(),
    fact: covered,
  },
  done: {
    title: 'Just finished',
    none: 'No finishers yet.',
    pick: ({ finished }, most, { elapsed }) => finished.sort((a, b) => elapsed[b] - elapsed[a]).slice(0, most),
    fact: finishTime,
  },
};

class Panels {
  constructor(root) {
    this._page = page();
    this._root = put(root, 'div', 'panels');
    this._lists = new Map(); // panels by their name in LISTS
    this._fences = new Map(); // by the fence's number
  }

  // data: lists (the length of each, by name), numbers ('competitor' or 'place', before the names) and hasFences.
  update(data) {
    this._data = data;
    for (const name of Object.keys(data.lists)) {
      if (!this._lists.has(name)) this._lists.set(name, this._panel(LISTS[name].title));
    }
    this.draw();
  }

  stop() {}

  draw() {
    const { payload } = this._page;
    if (payload === null || !this._data) return;
    const { columns } = payload;
    const groups = groupsOf(payload);
    const finished = new Set(groups.finished);
    for (const [name, panel] of this._lists) {
      const { pick, fact, none } = LISTS[name];
      const rows = pick(groups, this._data.lists[name], columns);
      const entries = rows.map((row) => ({
        bib: columns.competitor[row],
        number: columns[this._data.numbers][row],
        fact: fact(columns, row, finished.has(row)),
      }));
      this._fill(panel, entries, none);
    }
    if (this._data.hasFences) this._drawFences(payload);
  }

  _panel(title) {
    const box = put(this._root, 'section', 'panel');
    const head = put(box, 'h2', '', title);
    box.setAttribute('aria-label', title);
    return { box, head, list: put(box, 'ol'), empty: put(box, 'p', 'empty') };
  }

  _fill({ list, empty }, entries, placeholder) {
    while (list.children.length > entries.length) list.lastChild.remove();
    while (list.children.length < entries.length) this._entry(list);
    entries.forEach(({ bib, number, fact }, nth) => {
      const entry = list.children[nth];
      entry.dataset.bib = String(bib);
      write(entry.querySelector('.who'), this._page.nameOf(bib) || `Bib ${bib}`);
      write(entry.querySelector('.number'), String(number));
      write(entry.querySelector('.fact'), fact);
    });
    write(empty, entries.length ? '' : placeholder);
    empty.hidden = entries.length > 0;
  }

  _entry(list) {
    const entry = put(list, 'li');
    put(entry, 'span', 'number');
    const who = put(entry, 'button', 'who');
    who.type = 'button';
    who.title = 'Show on the map';
    who.addEventListener('click', () => this._page.show(Number(entry.dataset.bib)));
    put(entry, 'span', 'fact');
  }

  _drawFences({ fences, time }) {
    fences.forEach(({ name, inside, competitor, since }, nth) => {
      if (!this._fences.has(nth)) this._fences.set(nth, this._panel(name));
      const panel = this._fences.get(nth);
      panel.box.setAttribute('aria-label', name);
      panel.box.classList.add('fence');
      panel.box.classList.toggle('occupied', inside > 0);
      write(panel.head, inside > 0 ? `${name} · ${inside.toLocaleString('en')}` : name);
      const stays = competitor.slice(0, STAYS).map((bib, i) => ({
        bib,
        number: bib,
        fact: formatting.duration(Math.max(0, time - since[i])),
      }));
      this._fill(panel, stays, inside > 0 ? 'None of those shown.' : 'No competitors inside.');
    });
    for (const [nth, panel] of this._fences) {
      if (nth >= fences.length) {
        panel.box.remove();
        this._fences.delete(nth);
      }
    }
  }
}

// Row numbers of the payload's columns.
function groupsOf({ columns, statuses }) {
  const running = new Set(['running', 'paused']);
  const rows = columns.competitor.map((_, row) => row);
  const withStatus = (isWanted) => rows.filter((row) => isWanted(statuses[columns.status[row]]));
  return {
    placed: rows.filter((row) => columns.place[row] > 0),
    onCourse: withStatus((status) => running.has(status)),
    finished: withStatus((status) => status === 'finished'),
  };
}

function covered(columns, row) {
  return formatting.distance(columns.distance[row]);
}

function finishTime(columns, row) {
  return formatting.officialTime(columns.gun[row]);
}
