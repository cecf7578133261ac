// Keeps the screen on while the page is visible, where the browser can: on encrypted pages and on this machine.

class StayAwake {
  constructor() {
    this._lock = null;
    this._isStopped = false;
    // Browsers release the lock of a page that is hidden.
    this._whenVisible = () => this._request();
    document.addEventListener('visibilitychange', this._whenVisible);
    this._request();
  }

  stop() {
    this._isStopped = true;
    document.removeEventListener('visibilitychange', this._whenVisible);
    if (this._lock) this._lock.release();
  }

  async _request() {
    if (!navigator.wakeLock || document.hidden || (this._lock && !this._lock.released)) return;
    // Refused when the battery is low, for example.
    const lock = await navigator.wakeLock.request('screen').catch(() => null);
    if (lock && this._isStopped) lock.release();
    else this._lock = lock;
  }
}
