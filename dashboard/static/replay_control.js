// The control below the map: play and pause, the time, a slider over the race's time, the speed and, for a live
// race, the way back to its newest moment. And the notice on the map while it shows another one.
(function () {
  'use strict';

  const { formatting } = window.Racecast;

  const HEIGHT_PX = 44;
  const FEWEST_SECONDS = 1; // of a race that can be replayed

  // What the newest moment is, by the race's status.
  const NEWEST = {
    scheduled: 'Before the start',
    running: 'Live',
    paused: 'Paused',
    finished: 'Final',
    cancelled: 'Final',
  };

  function newest(status) {
    return NEWEST[status] || NEWEST.running;
  }

  class ReplayControl {
    // below: the parts below the map; speeds: race seconds per second of playback.
    constructor(below, speeds, isLive, { onPlay, onSpeed, onSeek, onLive }) {
      const bar = below.add('race-replay', () => HEIGHT_PX);
      bar.setAttribute('role', 'group');
      bar.setAttribute('aria-label', isLive ? 'Timeline' : 'Replay');
      this._play = button(bar, 'race-play', '', onPlay);
      const times = L.DomUtil.create('span', 'race-times', bar);
      this._clock = L.DomUtil.create('span', 'race-clock', times);
      this._end = isLive ? null : L.DomUtil.create('span', 'race-end', times);
      this._lap = L.DomUtil.create('span', 'race-lap', times);
      this._slider = makeSlider(bar, onSeek);
      this._speed = makeSpeeds(bar, speeds, onSpeed);
      this._live = isLive ? button(bar, 'race-live', '', onLive) : null;
      this._trouble = L.DomUtil.create('span', 'race-replay-trouble', bar);
      this._trouble.setAttribute('role', 'status');
    }

    // lap: [the leader's lap, all laps], or null on a course of one lap.
    say({ time, end, playing, speed, trouble, isLive, status, lap }) {
      const shown = isLive ? end : time;
      const isPlaying = playing || isLive;
      write(this._play, isPlaying ? '❚❚' : '▶');
      this._play.setAttribute('aria-label', isPlaying ? 'Pause' : 'Play');
      write(this._clock, formatting.raceTime(shown));
      if (this._end) write(this._end, ` / ${formatting.raceTime(end)}`);
      write(this._lap, lap === null ? '' : `Lap ${lap[0]} of ${lap[1]}`);
      this._slider.max = String(Math.ceil(end));
      this._slider.value = String(shown);
      this._slider.setAttribute('aria-valuetext', formatting.raceTime(shown) + (isLive ? `, ${newest(status)}` : ''));
      this._speed.value = String(speed);
      if (this._live) {
        write(this._live, newest(status));
        this._live.dataset.status = status;
        this._live.setAttribute('aria-pressed', String(isLive));
      }
      const isTooEarly = end < FEWEST_SECONDS;
      for (const part of [this._play, this._slider]) part.disabled = isTooEarly;
      this._speed.hidden = isTooEarly;
      this._speed.disabled = isLive; // the race has its own
      write(this._trouble, trouble ? 'The past cannot be loaded at the moment. Retrying.' : '');
    }
  }

  // Says on the map that it shows a past moment.
  class MomentNotice {
    constructor(map) {
      this._map = map;
      this._frame = map.getContainer();
      this._box = L.DomUtil.create('div', 'race-moment', this._frame);
      this._box.setAttribute('role', 'status');
      this._time = L.DomUtil.create('strong', '', this._box);
      this._time.setAttribute('aria-hidden', 'true'); // it changes every second, and the slider has it
      this._what = L.DomUtil.create('span', '', this._box);
      this.show(null, null);
    }

    // time: whole race seconds, or null for the newest moment; status: the race's.
    show(time, status) {
      const isHidden = this._box.hidden;
      this._box.hidden = time === null;
      this._frame.classList.toggle('past', time !== null);
      write(this._time, time === null ? '' : formatting.raceTime(time));
      write(this._what, status === 'running' ? ' — not live' : ' — replay');
      if (isHidden !== this._box.hidden) this._map.fire('controls');
    }
  }

  function button(bar, name, word, onClick) {
    const made = L.DomUtil.create('button', name, bar);
    made.type = 'button';
    made.textContent = word;
    made.addEventListener('click', onClick);
    return made;
  }

  function makeSlider(bar, onSeek) {
    const slider = L.DomUtil.create('input', 'race-slider', bar);
    Object.assign(slider, { type: 'range', min: '0', max: '1', step: '1', value: '0' });
    slider.setAttribute('aria-label', 'Race time');
    slider.addEventListener('input', () => onSeek(Number(slider.value)));
    return slider;
  }

  function makeSpeeds(bar, speeds, onSpeed) {
    const choice = L.DomUtil.create('select', 'race-speed', bar);
    choice.setAttribute('aria-label', 'Speed');
    for (const speed of speeds) choice.add(new Option(`${speed}×`, String(speed)));
    choice.addEventListener('change', () => onSpeed(Number(choice.value)));
    return choice;
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  window.Racecast = Object.assign(window.Racecast || {}, { ReplayControl, MomentNotice });
})();
