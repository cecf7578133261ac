// The start list as received from the dashboard: by bib, name, category (a number), club, sex and wave.
(function () {
  'use strict';

  function namesOf(list) {
    const byBib = new Map();
    list.competitor.forEach((bib, nth) => {
      byBib.set(bib, {
        name: list.name[nth],
        category: list.category[nth],
        club: list.club[nth] || '',
        sex: (list.sex || [])[nth] || '',
        wave: list.wave[nth] || 1,
      });
    });
    return { count: list.names, byBib, categories: list.categories };
  }

  // The names with those of another list; the same ones if it has none that are new.
  function withNamesOf(names, list) {
    if (list.competitor.every((bib) => names.byBib.has(bib))) return names;
    const others = namesOf(list);
    const categories = [...new Set([...names.categories, ...others.categories])];
    const numbers = new Map(categories.map((category, number) => [category, number]));
    const byBib = new Map(names.byBib);
    for (const [bib, one] of others.byBib) {
      byBib.set(bib, { ...one, category: numbers.get(others.categories[one.category]) });
    }
    return { ...names, byBib, categories };
  }

  window.Racecast = Object.assign(window.Racecast || {}, { namesOf, withNamesOf });
})();
