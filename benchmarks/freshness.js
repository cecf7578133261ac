// Notes from inside a map's frame, for so many seconds, when which payload was drawn: [race time that everybody
// has come to, epoch milliseconds] each. The payload is drawn in the next frame at the latest; what is posted
// from within that frame runs after it.
async (seconds) => {
  const drawn = [];
  const note = ({ detail }) => {
    const reached = Math.min(...detail.payload.columns.elapsed);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => drawn.push([reached, Date.now()]);
    requestAnimationFrame(() => port2.postMessage(null));
  };
  window.parent.addEventListener('racecast:payload', note);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  window.parent.removeEventListener('racecast:payload', note);
  return drawn;
}
