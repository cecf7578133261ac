// Has Streamlit check whether what it has drawn is outdated, whenever the server says that it may be.

class Watch {
  constructor() {
    this._page = page();
    this._passed = '';
  }

  update(_data, { keep }) {
    this._keep = keep;
    this._pass();
  }

  stop() {}

  draw(kind) {
    if (kind === 'outline') this._pass();
  }

  _pass() {
    const { outline } = this._page;
    if (outline === this._passed) return;
    this._passed = outline;
    this._keep('outline', outline);
  }
}
