// Numbers in the formats runners use; the same formats as formatting.py.
(function () {
  'use strict';

  const UNKNOWN = '–';
  const MIN_PACE_DISTANCE_M = 50; // below it, rounding and the start dominate the pace

  // Completed whole seconds. Times are in milliseconds; anything below is floating-point error.
  function wholeSeconds(seconds) {
    return Math.floor(Math.round(seconds * 1000) / 1000);
  }

  function twoDigits(number) {
    return String(number).padStart(2, '0');
  }

  // h:mm:ss in whole seconds, truncated like a finish clock.
  function raceTime(seconds) {
    if (seconds === null || !(seconds >= 0)) return UNKNOWN;
    const whole = wholeSeconds(seconds);
    return `${Math.floor(whole / 3600)}:${twoDigits(Math.floor(whole / 60) % 60)}:${twoDigits(whole % 60)}`;
  }

  // m:ss below one hour, else h:mm:ss.
  function duration(seconds) {
    if (seconds === null || !(seconds >= 0)) return UNKNOWN;
    const whole = wholeSeconds(seconds);
    if (whole >= 3600) return raceTime(seconds);
    return `${Math.floor(whole / 60)}:${twoDigits(whole % 60)}`;
  }

  // min:sec per kilometre, rounded to the second.
  function pace(seconds, metres) {
    if (seconds === null || !(metres >= MIN_PACE_DISTANCE_M)) return UNKNOWN;
    const whole = Math.round((seconds / metres) * 1000);
    return `${Math.floor(whole / 60)}:${twoDigits(whole % 60)}`;
  }

  // Kilometres with two decimals, without the unit.
  function kilometres(metres) {
    return metres === null ? UNKNOWN : (metres / 1000).toFixed(2);
  }

  // How long ago something was, rounded, in words.
  function age(seconds) {
    if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
    return `${Math.round(seconds / 86400)} days`;
  }

  const STATUS = {
    running: 'Running',
    paused: 'Paused',
    finished: 'Finished',
    waiting: 'Waiting to start',
    dnf: 'DNF',
    dns: 'DNS',
    dsq: 'DSQ',
  };

  window.Racecast = Object.assign(window.Racecast || {}, {
    formatting: { UNKNOWN, STATUS, raceTime, duration, pace, kilometres, age },
  });
})();
