// Numbers in the formats runners use, in the viewer's units; the same formats as formatting.py.
(function () {
  'use strict';

  const UNKNOWN = '–';
  const MIN_PACE_DISTANCE_M = 50; // below it, rounding and the start dominate the pace

  // The viewer's choices, as dashboard/ui/viewer.py passes them.
  let viewer = {
    unit: { name: 'km', symbol: 'km', metres: 1000, height: { symbol: 'm', metres: 1 } },
    clock: '24-hour',
    locale: 'en-150',
  };

  function use(choices) {
    viewer = choices;
  }

  function unit() {
    return viewer.unit;
  }

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

  // A finish time rounded up to the whole second, as the results of road races have it.
  function officialTime(seconds) {
    return seconds === null ? UNKNOWN : raceTime(Math.ceil(Math.round(seconds * 1000) / 1000));
  }

  // h:mm:ss.mmm.
  function exactTime(seconds) {
    if (seconds === null || !(seconds >= 0)) return UNKNOWN;
    const thousandths = String(Math.round(seconds * 1000) % 1000).padStart(3, '0');
    return `${raceTime(seconds)}.${thousandths}`;
  }

  // m:ss below one hour, else h:mm:ss.
  function duration(seconds) {
    if (seconds === null || !(seconds >= 0)) return UNKNOWN;
    const whole = wholeSeconds(seconds);
    if (whole >= 3600) return raceTime(seconds);
    return `${Math.floor(whole / 60)}:${twoDigits(whole % 60)}`;
  }

  // The time until something happens, in whole seconds, rounded up; never negative.
  function toGo(seconds) {
    return duration(Math.ceil(Math.max(0, seconds)));
  }

  // min:sec per unit, rounded to the second.
  function pace(seconds, metres) {
    if (seconds === null || !(metres >= MIN_PACE_DISTANCE_M)) return UNKNOWN;
    const whole = Math.round((seconds / metres) * viewer.unit.metres);
    return `${Math.floor(whole / 60)}:${twoDigits(whole % 60)}`;
  }

  // A distance with two decimals and its unit, such as 5.00 km.
  function distance(metres) {
    return metres === null ? UNKNOWN : `${(metres / viewer.unit.metres).toFixed(2)} ${viewer.unit.symbol}`;
  }

  // A distance with at most two decimals and its unit, such as 5 km.
  function shortDistance(metres) {
    return `${Number((metres / viewer.unit.metres).toFixed(2))} ${viewer.unit.symbol}`;
  }

  // The name of a timing point; the split at a whole kilometre is named by its distance.
  function point(name, metres) {
    return name === `${Number((metres / 1000).toFixed(2))} km` ? shortDistance(metres) : name;
  }

  // An altitude in whole metres, or feet beside miles, without its unit.
  function height(metres) {
    return Math.round(metres / viewer.unit.height.metres).toLocaleString('en');
  }

  // An altitude with its unit.
  function altitude(metres) {
    return `${height(metres)} ${viewer.unit.height.symbol}`;
  }

  const CLOCKS = {
    '24-hour': { hourCycle: 'h23', timeStyle: 'medium' },
    '12-hour': { hourCycle: 'h12', hour: 'numeric', minute: '2-digit', second: '2-digit' },
  };

  // The viewer's time of day, with seconds.
  function clock(date) {
    return date.toLocaleTimeString(viewer.locale, { ...CLOCKS[viewer.clock], numberingSystem: 'latn' });
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
    stopped: 'Stopped',
    dnf: 'DNF',
    dns: 'DNS',
    dsq: 'DSQ',
  };

  // Statuses that a cancelled race leaves as they were.
  const STOPPED = ['running', 'paused', 'waiting'];

  // A competitor's status as shown: in a cancelled race, all who were not done yet have stopped.
  function shownStatus(status, raceStatus) {
    return raceStatus === 'cancelled' && STOPPED.includes(status) ? 'stopped' : status;
  }

  // Why the competitor in a row of a payload is out; '' if no cut-off has stopped them.
  function cutOff({ cut_offs: limits, columns }, row) {
    const number = limits ? columns.cut_off[row] : 0;
    if (!number) return '';
    const { name, metres } = limits[number - 1];
    return name === 'finish' ? 'course closed' : `cut-off at ${point(name, metres)}`;
  }

  // A status in words, with the reason if there is one: "DNF, cut-off at 5 km".
  function statusWords(status, reason = '') {
    return [STATUS[status] || status, reason].filter(Boolean).join(', ');
  }

  window.Racecast = Object.assign(window.Racecast || {}, {
    formatting: {
      UNKNOWN,
      STATUS,
      shownStatus,
      cutOff,
      statusWords,
      use,
      unit,
      raceTime,
      officialTime,
      exactTime,
      duration,
      toGo,
      pace,
      distance,
      shortDistance,
      point,
      height,
      altitude,
      clock,
      age,
    },
  });
})();
