// Watches a map's frame for a while, from inside it, and says what a viewer would feel: [seconds, isPanned].
//
// The times are milliseconds: `frames` between two frames of the browser; of each new payload `gaps` since the
// one before, `refreshes` from the question to the payload being drawn, and `draws` from its last byte to that.
async ([seconds, isPanned]) => {
  const STEP_PX = 12; // a hand that pans swiftly
  const STEPS_A_WAY = 25; // there and back: the field stays in sight

  const { racecast } = window;
  const page = window.parent;
  const drawn = [];
  const frames = [];

  // The payload is drawn in the next frame at the latest; what is posted from within that frame runs after it.
  const noteWhenDrawn = ({ detail }) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => drawn.push({ version: detail.payload.version, came, at: performance.now() });
    const came = performance.now();
    requestAnimationFrame(() => port2.postMessage(null));
  };
  if (racecast) {
    performance.setResourceTimingBufferSize(100000);
    page.addEventListener('racecast:payload', noteWhenDrawn);
  }

  const begun = performance.now();
  await new Promise((resolve) => {
    let before = null;
    const frame = (now) => {
      if (before !== null) frames.push(now - before);
      before = now;
      if (isPanned) {
        const isBack = Math.floor(frames.length / STEPS_A_WAY) % 2 === 1;
        racecast._map.panBy([isBack ? -STEP_PX : STEP_PX, 0], { animate: false });
      }
      if (performance.now() - begun < seconds * 1000) requestAnimationFrame(frame);
      else resolve();
    };
    requestAnimationFrame(frame);
  });
  page.removeEventListener('racecast:payload', noteWhenDrawn);

  // Which answer a payload was: the last that was whole when it was shown.
  const answers = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/positions?seen='));
  const shown = drawn
    .map(({ came, at }) => ({ answer: answers.filter(({ responseEnd }) => responseEnd <= came).pop(), came, at }))
    .filter(({ answer }) => answer);
  return {
    frames,
    gaps: shown.slice(1).map(({ came }, nth) => came - shown[nth].came),
    refreshes: shown.map(({ answer, at }) => at - answer.startTime),
    draws: shown.map(({ answer, at }) => at - answer.responseEnd),
  };
}
