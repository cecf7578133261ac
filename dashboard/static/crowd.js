// A crowd on a canvas: thousands of dots written pixel by pixel, ten times as fast as drawing sprites.
(function () {
  'use strict';

  const OPAQUE = 255;
  // A dot's rim separates it from its neighbours and has, if the dot has not, a contrast of 3:1 with the street map.
  const RIM = {
    bright: (value) => 0.58 * value,
    dark: (value) => 0.72 * value,
    darkOnDark: (value) => value + 0.25 * (255 - value),
  };

  class Crowd {
    constructor() {
      this._canvas = document.createElement('canvas');
      this._context = this._canvas.getContext('2d');
    }

    // Clears and resizes to this many device pixels, with dots of this radius.
    begin(width, height, radius) {
      if (this._canvas.width !== width || this._canvas.height !== height || !this._image) {
        Object.assign(this._canvas, { width, height });
        this._image = this._context.createImageData(width, height);
        this._pixels = new Uint32Array(this._image.data.buffer);
      }
      if (this._radius !== radius) {
        this._radius = radius;
        this._stamp = makeStamp(radius);
      }
      this._pixels.fill(0);
      this._width = width;
      this._height = height;
    }

    // A dot about a point, in device pixels; colours are `dotColours` values.
    dot(x, y, { body, rim }) {
      const left = Math.round(x - this._stamp.size / 2);
      const top = Math.round(y - this._stamp.size / 2);
      const { size, alpha, isRim } = this._stamp;
      if (left < 0 || top < 0 || left + size > this._width || top + size > this._height) return;
      let nth = 0;
      for (let row = 0; row < size; row++) {
        let at = (top + row) * this._width + left;
        for (let column = 0; column < size; column++, at++) {
          const a = alpha[nth];
          const colour = isRim[nth++] ? rim : body;
          // The edge of a dot never dims another one below it.
          if (a === OPAQUE || a > this._pixels[at] >>> 24) this._pixels[at] = ((a << 24) | colour) >>> 0;
        }
      }
    }

    // Draws the dots onto another canvas that uses device pixels.
    end(context) {
      this._context.putImageData(this._image, 0, 0);
      context.save();
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(this._canvas, 0, 0);
      context.restore();
    }
  }

  // The opacity of each pixel of a dot, in a square of `size` pixels, and whether it is in the rim.
  function makeStamp(radius) {
    const size = 2 * Math.ceil(radius);
    const alpha = new Uint8Array(size * size);
    const isRim = new Uint8Array(size * size);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const off = Math.hypot(column + 0.5 - size / 2, row + 0.5 - size / 2);
        const nth = row * size + column;
        alpha[nth] = Math.round(OPAQUE * Math.min(1, Math.max(0, radius + 0.5 - off)));
        isRim[nth] = off > 0.7 * radius ? 1 : 0;
      }
    }
    return { size, alpha, isRim };
  }

  // The colours of a dot on a ground, both CSS colours, as image pixel values without their opacity.
  function dotColours(css, ground) {
    const rim = !isDark(css) ? RIM.bright : isDark(ground) ? RIM.darkOnDark : RIM.dark;
    // Little-endian, as on all machines that run browsers.
    const pixel = (values) => values.reduceRight((all, value) => (all << 8) | Math.round(value), 0);
    const values = valuesOf(css);
    return { body: pixel(values), rim: pixel(values.map(rim)) };
  }

  // Red, green and blue of a CSS colour, 0 to 255.
  function valuesOf(css) {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    context.fillStyle = css;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  }

  function isDark(css) {
    const [red, green, blue] = valuesOf(css);
    return 0.3 * red + 0.59 * green + 0.11 * blue < 128;
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Crowd, dotColours });
})();
