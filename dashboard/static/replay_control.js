// The replay's control bar below the map: play and pause, speeds, and a slider over the race's time.
(function () {
  'use strict';

  const { formatting } = window.Racecast;

  const STEP_S = 1; // of the slider

  const ReplayControl = L.Control.extend({
    options: { position: 'bottomleft' },

    initialize(speeds, { onPlay, onSpeed, onSeek }) {
      this._speeds = speeds;
      this._on = { onPlay, onSpeed, onSeek };
    },

    onAdd() {
      const bar = L.DomUtil.create('div', 'race-replay');
      bar.setAttribute('role', 'group');
      bar.setAttribute('aria-label', 'Replay');
      L.DomEvent.disableClickPropagation(bar);
      L.DomEvent.disableScrollPropagation(bar);
      this._play = this._button(bar, 'race-play', 'Play', this._on.onPlay);
      this._clock = L.DomUtil.create('span', 'race-clock', bar);
      this._slider = this._makeSlider(bar);
      this._buttons = this._speeds.map((speed) =>
        this._button(bar, 'race-speed', `${speed}×`, () => this._on.onSpeed(speed)),
      );
      this._trouble = L.DomUtil.create('span', 'race-replay-trouble', bar);
      this._trouble.setAttribute('role', 'status');
      return bar;
    },

    say({ time, end, playing, speed, trouble }) {
      this._play.textContent = playing ? '❚❚' : '▶';
      this._play.setAttribute('aria-label', playing ? 'Pause' : 'Play');
      this._clock.textContent = `${formatting.raceTime(time)} / ${formatting.raceTime(end)}`;
      this._slider.max = String(Math.ceil(end));
      this._slider.value = String(time);
      this._slider.setAttribute('aria-valuetext', formatting.raceTime(time));
      this._buttons.forEach((button, nth) => {
        button.setAttribute('aria-pressed', String(this._speeds[nth] === speed));
      });
      const sentence = trouble ? 'The past cannot be loaded at the moment. Retrying.' : '';
      if (this._trouble.textContent !== sentence) this._trouble.textContent = sentence;
    },

    _button(bar, name, word, onClick) {
      const button = L.DomUtil.create('button', name, bar);
      button.type = 'button';
      button.textContent = word;
      L.DomEvent.on(button, 'click', onClick);
      return button;
    },

    _makeSlider(bar) {
      const slider = L.DomUtil.create('input', 'race-slider', bar);
      Object.assign(slider, { type: 'range', min: '0', max: '1', step: String(STEP_S), value: '0' });
      slider.setAttribute('aria-label', 'Race time');
      L.DomEvent.on(slider, 'input', () => this._on.onSeek(Number(slider.value)));
      return slider;
    },
  });

  window.Racecast = Object.assign(window.Racecast || {}, { ReplayControl });
})();
