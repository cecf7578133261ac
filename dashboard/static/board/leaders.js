// The leader of the race and, where the start list has sexes, the first woman and the first man.

const FIRSTS = [
  { name: 'leader', word: 'Leader', sex: null },
  { name: 'woman', word: 'First woman', sex: 'F' },
  { name: 'man', word: 'First man', sex: 'M' },
];
const IN_THE_RACE = new Set(['running', 'paused', 'finished']);

class Leaders {
  constructor(root) {
    this._page = page();
    this._tiles = FIRSTS.map((first) => this._tile(root, first));
  }

  // data: status, sexes (those of the start list).
  update(data) {
    this._data = data;
  }

  draw() {
    const { payload, names } = this._page;
    const rows = payload === null ? [] : firstsOf(payload, names, this._page.listed());
    this._tiles.forEach((tile, nth) => {
      const row = rows[nth];
      tile.box.hidden = row === undefined && !(payload === null && this._isExpected(FIRSTS[nth]));
      if (row !== undefined) this._drawTile(tile, FIRSTS[nth], row);
    });
  }

  // Tiles that the first payload fills are there before it, so that nothing moves when it comes.
  _isExpected({ sex }) {
    const { status, sexes } = this._data;
    return status !== 'scheduled' && (sex === null || sexes.includes(sex));
  }

  _tile(root, { name, word }) {
    const box = put(root, 'div', 'tile first');
    box.dataset.figure = name;
    const tile = { box, word: put(box, 'span', 'word', word), value: put(box, 'strong', 'value') };
    tile.who = put(tile.value, 'button', 'who');
    Object.assign(tile.who, { type: 'button', title: 'Show on the map', textContent: formatting.UNKNOWN });
    tile.who.addEventListener('click', () => this._page.show(Number(tile.who.dataset.bib)));
    tile.note = put(box, 'span', 'note', '\u00a0');
    return tile;
  }

  _drawTile(tile, { word }, row) {
    const { columns, statuses } = this._page.payload;
    const bib = columns.competitor[row];
    const isIn = statuses[columns.status[row]] === 'finished';
    const reached = isIn
      ? formatting.officialTime(columns.gun[row])
      : formatting.distance(columns.distance[row]);
    write(tile.word, isIn && word === 'Leader' ? 'Winner' : word);
    tile.who.dataset.bib = String(bib);
    write(tile.who, this._page.nameOf(bib) || `Bib ${bib}`);
    write(tile.note, `Bib ${bib} · ${reached}`);
  }
}

// For each tile the row of the first with a place among so many rows; undefined if there is none.
function firstsOf({ columns, statuses }, { byBib }, listed) {
  const found = FIRSTS.map(() => undefined);
  for (let row = 0; row < listed && found.includes(undefined); row++) {
    if (!(columns.place[row] > 0) || !IN_THE_RACE.has(statuses[columns.status[row]])) continue;
    const known = byBib.get(columns.competitor[row]);
    FIRSTS.forEach(({ sex }, nth) => {
      if (found[nth] === undefined && (sex === null || known?.sex === sex)) found[nth] = row;
    });
  }
  return found;
}
