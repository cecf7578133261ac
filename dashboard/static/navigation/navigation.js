// The links to the pages, and the button that enters and leaves the full-screen view.
//
// A click reaches Streamlit as an event, so the page changes without being loaded again; in a new tab, a link's
// address is loaded.

const mounted = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let here = mounted.get(parentElement);
  if (!here) {
    here = new Navigation(parentElement.querySelector('.navigation'));
    mounted.set(parentElement, here);
  }
  here.update(data, setTriggerValue);
  return () => {
    here.stop();
    mounted.delete(parentElement);
  };
}

class Navigation {
  constructor(root) {
    this._root = root;
    this._drawn = '';
    this._leaveByKey = ({ key }) => key === 'Escape' && this._leave();
    // Browsers leave full screen by Escape themselves, and only say so afterwards.
    this._leaveAfter = () => document.fullscreenElement || this._leave();
    document.addEventListener('keydown', this._leaveByKey);
    document.addEventListener('keydown', stepThroughMenu, true);
    document.addEventListener('fullscreenchange', this._leaveAfter);
    coverNotches();
  }

  stop() {
    document.removeEventListener('keydown', this._leaveByKey);
    document.removeEventListener('keydown', stepThroughMenu, true);
    document.removeEventListener('fullscreenchange', this._leaveAfter);
  }

  update({ links, fullScreen }, send) {
    this._send = send;
    this._fullScreen = fullScreen;
    if (links.some(({ here, path }) => here && path === this._destination)) window.racecastLeaving = null;
    const drawn = JSON.stringify([links, fullScreen]);
    if (drawn === this._drawn) return;
    this._drawn = drawn;
    const focused = this._root.getRootNode().activeElement?.dataset.path;
    this._root.replaceChildren();
    this._root.dataset.view = fullScreen === 'leave' ? 'wall' : '';
    if (links.length > 0) this._drawLinks(links, focused);
    if (fullScreen === 'enter') this._button('Full screen', 'fullscreen', () => this._enter());
    if (fullScreen === 'leave') this._button('Leave', 'fullscreen_exit', () => this._leave());
  }

  _drawLinks(links, focused) {
    const nav = document.createElement('nav');
    nav.setAttribute('aria-label', 'Pages');
    for (const link of links) {
      const place = document.createElement('a');
      place.href = link.address;
      place.dataset.path = link.path;
      if (link.here) place.setAttribute('aria-current', 'page');
      label(place, link.icon, link.title);
      place.addEventListener('click', (event) => this._follow(event, link.path));
      nav.append(place);
      if (link.path === focused) queueMicrotask(() => place.focus());
    }
    this._root.append(nav);
  }

  _follow(event, path) {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    for (const place of this._root.querySelectorAll('a')) {
      if (place.dataset.path === path) place.setAttribute('aria-current', 'page');
      else place.removeAttribute('aria-current');
    }
    this._drawn = ''; // of the page that is being left
    this._destination = path;
    window.racecastLeaving = performance.now(); // until the next page is there its parts are silent
    this._send('page', path);
  }

  _button(title, icon, act) {
    const button = document.createElement('button');
    button.type = 'button';
    label(button, icon, title);
    button.addEventListener('click', act);
    this._root.append(button);
  }

  _enter() {
    const { documentElement } = document;
    // Without full screen, as in a frame, the view fills the window.
    if (documentElement.requestFullscreen) documentElement.requestFullscreen().catch(() => {});
    this._send('wall', 'enter');
  }

  _leave() {
    if (this._fullScreen !== 'leave') return;
    if (document.fullscreenElement) document.exitFullscreen();
    else this._send('wall', 'leave');
  }
}

function label(element, icon, title) {
  const sign = document.createElement('i');
  sign.className = 'icon';
  sign.setAttribute('aria-hidden', 'true');
  sign.textContent = icon;
  const word = document.createElement('span');
  word.textContent = title;
  element.append(sign, word);
}

// Pages use the whole of a phone's screen, and keep clear of its rounded corners by env(safe-area-inset-…).
function coverNotches() {
  const meta = document.querySelector('meta[name=viewport]');
  if (meta && !meta.content.includes('viewport-fit')) meta.content += ', viewport-fit=cover';
}
