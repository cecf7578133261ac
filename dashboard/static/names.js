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

  window.Racecast = Object.assign(window.Racecast || {}, { namesOf });
})();
