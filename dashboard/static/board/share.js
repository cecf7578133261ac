// The button that shares the page's link, which holds the race and the viewer's choices.

const SAID_FOR_MS = 4000;
const ICON =
  'M18 16.1c-.8 0-1.5.3-2 .8l-7.1-4.2a3.3 3.3 0 0 0 0-1.4L16 7.2c.5.5 1.2.8 2 .8a3 3 0 1 0-3-3l.1.7L8 9.8a3 3 0 1 0 0 4.4' +
  'l7.1 4.2-.1.6a3 3 0 1 0 3-2.9z';

class Share {
  constructor(root) {
    const button = put(root, 'button', 'share');
    button.type = 'button';
    button.append(icon(), 'Share');
    button.addEventListener('click', () => this._share());
    this._said = put(root, 'span', 'said');
    this._said.setAttribute('role', 'status');
  }

  update({ title }) {
    this._title = title;
  }

  draw() {}

  stop() {
    clearTimeout(this._timer);
  }

  // Phones have a menu for it; elsewhere the link is copied.
  async _share() {
    const link = window.location.href;
    if (navigator.share && window.matchMedia('(pointer: coarse)').matches) {
      await navigator.share({ title: this._title, url: link }).catch(() => {}); // the viewer changed their mind
    } else {
      this._say((await copy(link)) ? 'Link copied' : 'Copy the link from the address bar');
    }
  }

  _say(words) {
    write(this._said, words);
    clearTimeout(this._timer);
    this._timer = setTimeout(() => write(this._said, ''), SAID_FOR_MS);
  }
}

// Whether the text is in the clipboard. Browsers offer `navigator.clipboard` on encrypted pages and on this machine only.
async function copy(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const field = put(document.body, 'textarea');
  field.value = text;
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  return isCopied;
}

function icon() {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICON);
  svg.append(path);
  return svg;
}
