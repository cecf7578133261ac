// All rows of a list that has only those in the page that can be seen: it is scrolled through, from the top
// again if need be, until `count` different rows were there or no more are found for long.
async (list, [rowSelector, cellSelector, count]) => {
  const PATIENCE_MS = 60_000;
  const SETTLED_MS = 500; // a canvas exposes its new rows only when the scrolling has paused
  const hidden = (one) => (getComputedStyle(one).overflowY === 'auto' ? one.scrollHeight - one.clientHeight : 0);
  const [box] = [list, ...list.querySelectorAll('*')].sort((one, other) => hidden(other) - hidden(one));
  const frame = () => new Promise(requestAnimationFrame);
  const read = () => {
    const rows = [...list.querySelectorAll(rowSelector)];
    return rows.map((row) => [...(cellSelector ? row.querySelectorAll(cellSelector) : [row])].map((cell) => cell.textContent));
  };
  const end = performance.now() + PATIENCE_MS;
  const seen = new Map();
  let before = '';
  while (seen.size < count && performance.now() < end) {
    const settled = performance.now() + SETTLED_MS;
    while (JSON.stringify(read()) === before && performance.now() < settled) await frame();
    const rows = read();
    // A canvas exposes a row before it has its texts.
    for (const row of rows.filter(([first]) => first !== '')) seen.set(JSON.stringify(row), row);
    before = JSON.stringify(rows);
    const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 1;
    box.scrollTop = isAtEnd ? 0 : box.scrollTop + 0.75 * box.clientHeight;
  }
  return [...seen.values()];
};
