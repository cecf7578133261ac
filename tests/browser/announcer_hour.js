// Stands in for the dashboard's routes: each answer of the announcer board's routes has other finishers, other podiums
// and other competitors to come than the one before. No stream says anything, so the board polls.
(() => {
  const asked = { honours: 0, coming: 0 };
  window.askedOfStub = asked;

  const entry = (bib) => ({ bib, name: `Runner ${bib} of many`, category: `W${bib % 90}`, club: `Club ${bib % 40}` });

  function honours(nth) {
    const finished = Array.from({ length: 12 }, (_, back) => {
      const bib = 13 + nth - back;
      return { ...entry(bib), place: bib, category_place: 1 + (bib % 50), time: 900 + bib, at: nth - back };
    });
    const podiums = Array.from({ length: Math.min(60, 1 + Math.floor(nth / 20)) }, (_, back) => {
      const steps = [1, 2, 3].map((place) => ({ ...entry(nth + place), place, time: 900 + place }));
      return { kind: 'category', name: `Class ${nth - back}`, of: 30, at: nth - back, steps };
    });
    return { version: `h${nth}`, time: nth, age: 0.5, status: 'running', rank: 'gun', finished, podiums, undecided: nth % 9 };
  }

  function coming(nth) {
    const points = [
      { label: '1 km', kind: 'split', name: '1 km', lap: 1, distance: 1000 },
      { label: 'Finish', kind: 'finish', name: 'Finish', lap: 1, distance: 5000 },
    ];
    const next = Array.from({ length: 12 }, (_, ahead) => {
      const there = asked.honours + 5 * ahead;
      return { ...entry(100000 + nth + ahead), place: nth + ahead, low: there - 5, there, high: there + 5 };
    });
    return { version: `c${nth}`, time: asked.honours, again: 2, points, point: 'Finish', next };
  }

  const makers = { honours, coming };
  const real = window.fetch.bind(window);
  window.fetch = (address, options) => {
    const [, name] = String(address).match(/\/(honours|coming)\?/) || [];
    if (!name) return real(address, options);
    asked[name] += 1;
    const body = makers[name](asked[name]);
    return Promise.resolve({ ok: true, status: 200, headers: { get: () => null }, json: () => Promise.resolve(body) });
  };
  window.EventSource = class {
    addEventListener() {}
    close() {}
  };
})();
