// Lists: at the front, at the back, just finished, and current geofence visits with their durations.

const LISTED = 5;

class Panels {
  constructor(root) {
    this._page = page();
    this._root = put(root, 'div', 'panels');
    this._front = this._panel('At the front');
    this._back = this._panel('At the back');
    this._done = this._panel('Just finished');
    this._fences = new Map(); // by the fence's number
  }

  update() {
    this.draw();
  }

  stop() {}

  draw() {
    const { payload } = this._page;
    if (payload === null) return;
    const { columns, statuses } = payload;
    const running = new Set(['running', 'paused']);
    const rows = columns.competitor.map((_, row) => row);
    const onCourse = rows.filter((row) => running.has(statuses[columns.status[row]]));
    const finished = rows.filter((row) => statuses[columns.status[row]] === 'finished');
    const covered = (row) => `${formatting.kilometres(columns.distance[row])} km`;
    const time = (row) => formatting.raceTime(columns.elapsed[row]);
    this._list(this._front, onCourse.slice(0, LISTED), columns, covered, 'No competitors on the course.');
    this._list(this._back, onCourse.slice(-LISTED).reverse(), columns, covered, 'No competitors on the course.');
    this._list(this._done, finished.slice(-LISTED).reverse(), columns, time, 'No finishers yet.');
    this._drawFences(payload);
  }

  _panel(title) {
    const box = put(this._root, 'section', 'panel');
    const head = put(box, 'h3', '', title);
    box.setAttribute('aria-label', title);
    return { box, head, list: put(box, 'ol'), empty: put(box, 'p', 'empty') };
  }

  _list(panel, rows, columns, fact, placeholder) {
    const entries = rows.map((row) => [columns.competitor[row], fact(row)]);
    this._fill(panel, entries, placeholder);
  }

  _fill({ list, empty }, entries, placeholder) {
    while (list.children.length > entries.length) list.lastChild.remove();
    while (list.children.length < entries.length) this._entry(list);
    entries.forEach(([bib, fact], nth) => {
      const entry = list.children[nth];
      entry.dataset.bib = String(bib);
      write(entry.querySelector('.who'), this._page.nameOf(bib) || `Bib ${bib}`);
      write(entry.querySelector('.number'), String(bib));
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
      const stays = competitor.slice(0, LISTED).map((bib, i) => [bib, formatting.duration(Math.max(0, time - since[i]))]);
      this._fill(panel, stays, 'No competitors inside.');
    });
    for (const [nth, panel] of this._fences) {
      if (nth >= fences.length) {
        panel.box.remove();
        this._fences.delete(nth);
      }
    }
  }
}
