// Measures the map from inside its frame. Arguments: [seconds, isPanned].
//
// Returns lists of times in milliseconds: `frames` between two animation frames, `updates` between the arrival of
// two updates, and `draws` from the arrival of an update until it is drawn.
async ([seconds, isPanned]) => {
  const STEP_PX = 12; // fast panning
  const STEPS_PER_DIRECTION = 25; // then back, so that the competitors stay in view

  const { racecast } = window;
  const page = window.parent;
  const drawn = [];
  const frames = [];

  // An update is drawn in the next frame at the latest. A message posted in that frame is handled after it.
  const recordWhenDrawn = () => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => drawn.push({ arrivedAt, drawnAt: performance.now() });
    const arrivedAt = performance.now();
    requestAnimationFrame(() => port2.postMessage(null));
  };
  page.addEventListener('racecast:payload', recordWhenDrawn);

  const startedAt = performance.now();
  await new Promise((resolve) => {
    let previous = null;
    const frame = (now) => {
      if (previous !== null) frames.push(now - previous);
      previous = now;
      if (isPanned) {
        const isBack = Math.floor(frames.length / STEPS_PER_DIRECTION) % 2 === 1;
        racecast._map.panBy([isBack ? -STEP_PX : STEP_PX, 0], { animate: false });
      }
      if (performance.now() - startedAt < seconds * 1000) requestAnimationFrame(frame);
      else resolve();
    };
    requestAnimationFrame(frame);
  });
  page.removeEventListener('racecast:payload', recordWhenDrawn);

  return {
    frames,
    updates: drawn.slice(1).map(({ arrivedAt }, nth) => arrivedAt - drawn[nth].arrivedAt),
    draws: drawn.map(({ arrivedAt, drawnAt }) => drawnAt - arrivedAt),
  };
}
