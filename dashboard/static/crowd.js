// A crowd on a canvas: thousands of dots written pixel by pixel, ten times as fast as drawing sprites.
(function () {
  'use strict';

  const OPAQUE = 255;

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

    // A dot about a point, in device pixels; colour is a `pixelColour` value.
    dot(x, y, colour) {
      const left = Math.round(x - this._stamp.size / 2);
      const top = Math.round(y - this._stamp.size / 2);
      const { size, alpha } = this._stamp;
      if (left < 0 || top < 0 || left + size > this._width || top + size > this._height) return;
      let nth = 0;
      for (let row = 0; row < size; row++) {
        let at = (top + row) * this._width + left;
        for (let column = 0; column < size; column++, at++) {
          const a = alpha[nth++];
          // The rim of a dot never dims another one below it.
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

  // The opacity of each pixel of a dot, in a square of `size` pixels.
  function makeStamp(radius) {
    const size = 2 * Math.ceil(radius);
    const alpha = new Uint8Array(size * size);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const off = Math.hypot(column + 0.5 - size / 2, row + 0.5 - size / 2);
        alpha[row * size + column] = Math.round(OPAQUE * Math.min(1, Math.max(0, radius + 0.5 - off)));
      }
    }
    return { size, alpha };
  }

  // A CSS colour as image pixel value, without its opacity.
  function pixelColour(css) {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    context.fillStyle = css;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    return (blue << 16) | (green << 8) | red; // little-endian, as on all machines that run browsers
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Crowd, pixelColour });
})();
