// A page component mounted by Streamlit: called on every run of the page's script; the returned function is
// called when the component is removed.

const PARTS = { figures: Figures, leaderboard: Leaderboard, panels: Panels };

const mounted = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  let here = mounted.get(parentElement);
  if (!here || here.key !== `${data.part}/${data.run}`) {
    if (here) here.end();
    const root = parentElement.querySelector('.part');
    root.replaceChildren();
    root.classList.add(data.part);
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
  here.part.update(data, { choose: (bibs) => setStateValue('favourites', bibs) });
  return here.end;
}
