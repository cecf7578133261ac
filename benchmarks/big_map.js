// Measures the map from inside its frame. Arguments: [seconds, isPanned].
//
// Returns lists of times in milliseconds: `frames` between two animation frames, `updates` between the arrival of
// two updates, `refreshes` from the request of an update until it is drawn, and `draws` from the end of its
// response until it is drawn.
async ([seconds, isPanned]) => {
  const STEP_PX = 12; // fast panning
  const STEPS_PER_DIRECTION = 25; // then back, so that the competitors stay in view

  const { racecast } = window;
  const page = window.parent;
  const drawn = [];
  const frames = [];

  // An update is drawn in the next frame at the latest. A message posted in that frame is handled after it.
  const recordWhenDrawn = ({ detail }) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => drawn.push({ version: detail.payload.version, arrivedAt, drawnAt: performance.now() });
    const arrivedAt = performance.now();
    requestAnimationFrame(() => port2.postMessage(null));
  };
  if (racecast) {
    performance.setResourceTimingBufferSize(100000);
    page.addEventListener('racecast:payload', recordWhenDrawn);
  }

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

  // The response of an update is the last one that was complete when the update arrived.
  const responses = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/positions?seen='));
  const shown = drawn
    .map(({ arrivedAt, drawnAt }) => ({
      response: responses.filter(({ responseEnd }) => responseEnd <= arrivedAt).pop(),
      arrivedAt,
      drawnAt,
    }))
    .filter(({ response }) => response);
  return {
    frames,
    updates: shown.slice(1).map(({ arrivedAt }, nth) => arrivedAt - shown[nth].arrivedAt),
    refreshes: shown.map(({ response, drawnAt }) => drawnAt - response.startTime),
    draws: shown.map(({ response, drawnAt }) => drawnAt - response.responseEnd),
  };
}
