// The layer's data source: the newest payloads of a live race, or a moment that the viewer has chosen.
//
// On the live page the map shows the newest payload until the viewer goes back; the feed goes on meanwhile,
// because figures and leaderboard stay live. A replay has no live part.
//
// The link keeps a moment on which the map rests.
(function () {
  'use strict';

  const { Live, Replay, SPEEDS, ReplayControl, MomentNotice } = window.Racecast;

  const REST_MS = 500; // without another moment: then the viewer has found the one looked for

  class Timeline {
    // below: the parts below the map, or null for a map without a control.
    constructor(layer, map, below) {
      const { isLive, end } = layer.options;
      this._layer = layer;
      this._isLive = isLive;
      this._live = isLive ? new Live(layer, map, (payload) => this._arrived(payload)) : null;
      this._replay = new Replay(layer, end, { onChange: () => this._say(), onEnd: () => this._reachedTheEnd() });
      this._notice = isLive ? new MomentNotice(map) : null;
      this._moment = null; // whole race seconds that are shown instead of the newest
      this._kept = null; // those in the link
      this._linked = null; // those in the link that the page was opened with, until they are shown
      this._status = null; // of the race
      this._control = below && new ReplayControl(below, SPEEDS, isLive, this._actions());
      if (isLive) this._say();
      else this._replay.seek(0);
    }

    control(choices) {
      if (this._live) this._live.control(choices);
    }

    // Shows the moment in the link, in race seconds, as soon as the race's time is known.
    open(moment) {
      this._linked = moment;
      this._kept = moment;
    }

    stop() {
      clearTimeout(this._rest);
      this._replay.close();
      if (this._live) this._live.stop();
    }

    isLive() {
      return this._isLive;
    }

    isMoving(now) {
      return this._isLive ? this._live.isMoving(now) : this._replay.isMoving();
    }

    // Progress between the two payloads that are shown.
    part(now) {
      return this._isLive ? this._live.part(now) : this._replay.part(now);
    }

    // Seconds by which the newest payload is late.
    late(now) {
      return this._isLive ? this._live.late(now) : 0;
    }

    state() {
      return { ...this._replay.state(), isLive: this._isLive, status: this._status };
    }

    // Shows a moment of the past, in race seconds; the end of a live race is now.
    seek(time) {
      const { end } = this._replay.state();
      if (this._live && time >= end) {
        this.goLive();
        return;
      }
      this._leaveLive();
      this._replay.seek(time);
    }

    goLive() {
      if (this._isLive) return;
      this._isLive = true;
      this._replay.close();
      this._live.show();
      this._say();
    }

    _actions() {
      return {
        onPlay: () => this._play(),
        onSpeed: (speed) => this._replay.setSpeed(speed),
        onSeek: (time) => this.seek(time),
        onLive: () => this.goLive(),
      };
    }

    // Plays, or holds the picture; a live race is held at its newest moment.
    _play() {
      if (this._isLive) {
        this._leaveLive();
        this._replay.seek(this._replay.state().end);
      } else this._replay.play(!this._replay.state().playing);
    }

    _leaveLive() {
      if (!this._isLive) return;
      this._isLive = false;
      this._live.hide();
    }

    _arrived(payload) {
      this._status = payload.status;
      this._replay.extend(payload.time);
      const linked = this._linked;
      this._linked = null;
      if (linked !== null) this.seek(linked);
      this._say();
    }

    // Playback has caught up with the race.
    _reachedTheEnd() {
      if (this._live) this.goLive();
    }

    _say() {
      const state = this.state();
      if (this._control) this._control.say({ ...state, lap: this._layer.lap() });
      if (!this._live) return;
      const moment = this._isLive ? null : Math.floor(state.time);
      this._notice.show(moment, state.status);
      this._keep(moment, state.playing);
      if (moment === this._moment) return;
      this._moment = moment;
      this._layer.emit('moment', { time: moment });
    }

    _keep(moment, isPlaying) {
      clearTimeout(this._rest);
      if (isPlaying || moment === this._kept) return;
      this._rest = setTimeout(() => {
        this._kept = moment;
        this._layer.emit('rest', { time: moment });
      }, REST_MS);
    }
  }

  window.Racecast = Object.assign(window.Racecast || {}, { Timeline });
})();
