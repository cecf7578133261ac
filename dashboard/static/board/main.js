// A page component mounted by Streamlit: called on every run of the page's script; the returned function is
// called when the component is removed.

const PARTS = {
  announcer: AnnouncerBoard,
  expected: Expected,
  figures: Figures,
  tallies: Tallies,
  leaderboard: Leaderboard,
  panels: Panels,
  results: ResultList,
  share: Share,
  'start-list': StartList,
  stays: Stays,
  teams: Teams,
  watch: Watch,
};

const LEAVES_WITHIN_MS = 10_000; // after that the next page is taken not to come

const mounted = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  formatting.use(data.viewer);
  let here = mounted.get(parentElement);
  if (!here || here.key !== `${data.part}/${data.run}`) {
    if (here) here.end();
    const root = parentElement.querySelector('.part');
    root.replaceChildren();
    root.classList.add(data.part, ...(data.look ? [data.look] : []));
    const part = new PARTS[data.part](root);
    const unsubscribe = page().subscribe((kind) => part.draw(kind));
    const end = () => {
      unsubscribe();
      part.stop();
      mounted.delete(parentElement);
    };
    here = { key: `${data.part}/${data.run}`, part, end };
    mounted.set(parentElement, here);
  }
  if (page().run !== data.run) page().begin(data.run);
  // Choices that the link keeps: favourites, filters, follow, moment, point, rank. For Streamlit null is no change from nothing.
  here.part.update(data, { keep: (name, value) => isLeaving() || setStateValue(name, value ?? '') });
  return here.end;
}

// Whether another page has been asked for. A part that then asked for its own fragment would, after the next page was
// drawn, clear it.
function isLeaving() {
  const { racecastLeaving } = window;
  return Boolean(racecastLeaving) && performance.now() - racecastLeaving < LEAVES_WITHIN_MS;
}
