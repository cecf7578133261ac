// Records the updates that the map draws within the given number of seconds, from inside its frame. Returns
// [lowest race time of all competitors, epoch milliseconds] of each. An update is drawn in the next frame at the
// latest. A message posted in that frame is handled after it.
async (seconds) => {
  const drawn = [];
  const record = ({ detail }) => {
    const oldest = Math.min(...detail.payload.columns.elapsed);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => drawn.push([oldest, Date.now()]);
    requestAnimationFrame(() => port2.postMessage(null));
  };
  window.parent.addEventListener('racecast:payload', record);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  window.parent.removeEventListener('racecast:payload', record);
  return drawn;
}
