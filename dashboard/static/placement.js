// Greedy placement of labels: the most important first, none on another, and what has no room is left out.
(function () {
  'use strict';

  const HERE_BEFORE = 6; // what a label saves by staying where it was: it should not jump to and fro

  // A box of this size about a middle.
  function box(x, y, width, height) {
    return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
  }

  function overlap(a, b) {
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  }

  // The boxes around a point for a label of this size, the best first: its edge is `gap` away.
  function around({ x, y }, width, height, gap) {
    const [dx, dy] = [width / 2 + gap, height / 2 + gap];
    const diagonal = [width / 2 + gap * 0.6, height / 2 + gap * 0.6];
    const ways = [[dx, 0], [-dx, 0], [0, -dy], [0, dy]];
    for (const down of [-1, 1]) for (const right of [1, -1]) ways.push([right * diagonal[0], down * diagonal[1]]);
    return ways.map(([right, down]) => box(x + right, y + down, width, height));
  }

  // labels: [{ boxes, before }], the most important first; `before` is the choice of the last time, or null.
  // taken: boxes that must stay free; those of the labels are added. cost(box): what else speaks against a
  // box. Returns for each label the index of its box, or null if each of them is taken.
  function place(labels, taken, cost = () => 0) {
    return labels.map(({ boxes, before }) => {
      let chosen = null;
      let least = Infinity;
      boxes.forEach((one, nth) => {
        const price = nth + cost(one) - (nth === before ? HERE_BEFORE : 0);
        if (price >= least || taken.some((other) => overlap(one, other))) return;
        [chosen, least] = [nth, price];
      });
      if (chosen !== null) taken.push(boxes[chosen]);
      return chosen;
    });
  }

  window.Racecast = Object.assign(window.Racecast || {}, { placement: { box, around, overlap, place } });
})();
