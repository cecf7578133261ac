// A note on the leaderboard while the map shows a past moment: the leaderboard stays at the newest.

const ENDED = ['finished', 'cancelled'];

class MomentNote {
  constructor(root) {
    this._box = put(root, 'p', 'moment');
    this.show(null, null);
  }

  // time: race seconds that the map shows, or null for the newest; status: the race's.
  show(time, status) {
    this._box.hidden = time === null;
    const list = ENDED.includes(status) ? 'final' : 'live';
    write(this._box, time === null ? '' : `Map shows ${formatting.raceTime(time)}. This list is ${list}.`);
  }
}
