// The street map below the course: tiles from another host, muted so that the race stands out.
//
// Nothing is requested before the viewer's choice is known. While tiles cannot be loaded, the map keeps its
// plain background and tries again after longer and longer pauses.
(function () {
  'use strict';

  const MOST_FAILURES = 4; // in a row: then all others are likely to fail too
  const REFUSALS = [401, 403, 429]; // one of them is enough
  const RETRY_MS = { least: 60_000, most: 3_600_000 };
  const NATIVE_ZOOM = 19; // of OpenStreetMap; beyond it tiles are enlarged
  const COPYRIGHT = 'https://www.openstreetmap.org/copyright';
  const DARK_BELOW = 0.5; // of the background's brightness
  // In the dark theme the lightness of the map is turned round and its hues are kept.
  const MUTED = {
    light: { filter: 'grayscale(0.65)', opacity: 0.6 },
    dark: { filter: 'invert(1) hue-rotate(180deg) grayscale(0.65)', opacity: 0.5 },
  };

  // Tiles are muted once, when they arrive: a filter on the page would have to be applied in every frame. They are
  // fetched, because an image element would show the picture that some servers send with a refusal.
  const MutedTiles = L.TileLayer.extend({
    createTile(coords, done) {
      const tile = document.createElement('canvas');
      const { x, y } = this.getTileSize();
      Object.assign(tile, { width: x, height: y, complete: false }); // Leaflet removes incomplete ones
      tile.setAttribute('role', 'presentation');
      tile.request = new AbortController();
      this._load(tile, this.getTileUrl(coords)).then(
        () => done(null, tile),
        (error) => tile.request.signal.aborted || done(error, tile),
      );
      return tile;
    },

    // Rejects with an error whose `isRefused` says whether the server refuses to answer.
    async _load(tile, url) {
      // Only here, and only the origin: OpenStreetMap requires it. The page sends no referrer elsewhere.
      const answer = await fetch(url, { referrerPolicy: 'strict-origin', signal: tile.request.signal });
      if (!answer.ok) {
        const error = new Error(`The tile server responded with status ${answer.status}.`);
        throw Object.assign(error, { isRefused: REFUSALS.includes(answer.status) });
      }
      tile.image = await createImageBitmap(await answer.blob());
      tile.complete = true;
      this._mute(tile);
    },

    // theme: 'light' or 'dark'; ground: the colour that shines through.
    setTheme(theme, ground) {
      if (this._theme === theme && this._ground === ground) return;
      Object.assign(this, { _theme: theme, _ground: ground });
      for (const { el } of Object.values(this._tiles || {})) if (el.complete) this._mute(el);
    },

    _mute(tile) {
      const context = tile.getContext('2d', { alpha: false });
      const { filter, opacity } = MUTED[this._theme];
      context.fillStyle = this._ground;
      context.fillRect(0, 0, tile.width, tile.height);
      context.save();
      Object.assign(context, { filter, globalAlpha: opacity });
      context.drawImage(tile.image, 0, 0, tile.width, tile.height);
      context.restore();
    },

    _removeTile(key) {
      const found = this._tiles[key];
      if (found) found.el.request.abort();
      L.TileLayer.prototype._removeTile.call(this, key);
    },
  });

  // Leaflet gives every tile a layer of its own to compose in every frame; in one layer they cost a third.
  function flatten(tile) {
    const { x, y } = L.DomUtil.getPosition(tile);
    Object.assign(tile.style, { transform: '', left: `${x}px`, top: `${y}px` });
  }

  class StreetMap {
    // tiles: url and attribution, or null for none at all.
    constructor(map, tiles) {
      this._map = map;
      this._isWanted = false;
      this._failures = 0;
      this._pause = RETRY_MS.least;
      this._timer = null;
      this._layer = tiles && this._makeLayer(tiles);
      if (!tiles) return;
      window.addEventListener('online', () => this._retry());
      // Streamlit sends a new theme as another style sheet.
      new MutationObserver(() => this.followTheme()).observe(document.head, { childList: true });
      this.followTheme();
    }

    // Whether the viewer wants it.
    show(isWanted) {
      if (!this._layer || this._isWanted === isWanted) return;
      this._isWanted = isWanted;
      clearTimeout(this._timer);
      this._failures = 0;
      if (isWanted) this._layer.addTo(this._map);
      else this._layer.remove();
    }

    _makeLayer({ url, attribution }) {
      const layer = new MutedTiles(url, {
        className: 'street-map',
        attribution: attributionOf(attribution),
        maxZoom: this._map.getMaxZoom(),
        maxNativeZoom: NATIVE_ZOOM,
        updateWhenZooming: false,
      });
      layer.on('tileloadstart', ({ tile }) => flatten(tile));
      layer.on('tileabort', ({ tile }) => tile.request.abort());
      return layer.on({ tileload: this._loaded, tileerror: this._failed }, this);
    }

    _loaded() {
      this._failures = 0;
      this._pause = RETRY_MS.least;
    }

    // A server that refuses is not asked again soon.
    _failed({ error }) {
      this._failures += 1;
      if (this._failures < MOST_FAILURES && !error.isRefused) return;
      if (error.isRefused) this._pause = RETRY_MS.most;
      this._layer.remove();
      this._timer = setTimeout(() => this._retry(), this._pause);
      this._pause = Math.min(2 * this._pause, RETRY_MS.most);
    }

    _retry() {
      clearTimeout(this._timer);
      this._failures = 0;
      if (this._isWanted) this._layer.addTo(this._map);
    }

    // Takes the page's colours, once its style sheets are there and when they change.
    followTheme() {
      if (!this._layer) return;
      const isDark = brightness(getComputedStyle(document.body).backgroundColor) < DARK_BELOW;
      const ground = getComputedStyle(this._map.getContainer()).backgroundColor;
      this._layer.setTheme(isDark ? 'dark' : 'light', ground);
    }
  }

  // OpenStreetMap's licence asks for this link.
  function attributionOf(text) {
    const box = document.createElement('span');
    box.textContent = text;
    const link = `<a href="${COPYRIGHT}" target="_blank" rel="noopener">OpenStreetMap</a>`;
    return box.innerHTML.replace('OpenStreetMap', link);
  }

  // Of a computed colour, 0 to 1.
  function brightness(colour) {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return alpha === 0 ? 1 : (0.3 * red + 0.59 * green + 0.11 * blue) / 255;
  }

  window.Racecast = Object.assign(window.Racecast || {}, { StreetMap });
})();
