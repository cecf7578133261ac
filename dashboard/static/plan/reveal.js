// Brings the figures of new plans into view: they begin below the fields. `data.computed` counts the computations;
// it is 0 in a run without one.

export default function ({ data }) {
  if (!data.computed) return;
  const isCalm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  const figures = document.querySelector('.st-key-plan-figures');
  figures?.scrollIntoView({ behavior: isCalm ? 'auto' : 'smooth', block: 'start' });
}
