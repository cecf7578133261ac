// The parts below the map in its frame: they take their height from the map, so that the frame's height stays.
//
// Heights are set here and not in the style sheet, which streamlit-folium doesn't wait for: the course is fitted
// into a map that has its final size.
(function () {
  'use strict';

  const NARROW_PX = 480; // narrower frames are those of phones
  const LEAST_PX = 250; // a frame that is still lower has not got its height yet

  class Below {
    constructor(map) {
      this._map = map;
      // The frame's height, unless it has not got it yet.
      const height = parseFloat(map.getContainer().style.height);
      this._whole = window.innerHeight > LEAST_PX ? window.innerHeight : height;
      this._parts = [];
      this._box = document.createElement('div');
      this._box.className = 'race-below';
      map.getContainer().after(this._box);
      window.addEventListener('resize', () => this._resize());
    }

    // Adds a part; heightOf(isNarrow) gives its height in pixels.
    add(name, heightOf) {
      const part = L.DomUtil.create('div', name, this._box);
      this._parts.push({ part, heightOf });
      this._fit();
      return part;
    }

    // The frame has another height, as on a wall, or another width, as on a phone that was turned.
    _resize() {
      if (window.innerHeight > LEAST_PX) this._whole = window.innerHeight;
      this._fit();
    }

    _fit() {
      const isNarrow = window.innerWidth < NARROW_PX;
      let taken = 0;
      for (const { part, heightOf } of this._parts) {
        const height = heightOf(isNarrow);
        part.style.height = `${height}px`;
        taken += height;
      }
      this._map.getContainer().style.height = `${this._whole - taken}px`;
      this._map.invalidateSize({ pan: false });
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Below });
})();
