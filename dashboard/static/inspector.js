// A click on a dot opens the competitor's details, which stay with the dot as it moves. From there the map
// can follow the competitor.
(function () {
  'use strict';

  const { formatting, forecastWords } = window.Racecast;

  const REACH_PX = 12; // generous enough for a finger
  const CALM_PART = 0.25; // of the view's width and height at each edge: a followed competitor is kept out of it

  const KEPT_CLEAR = { autoPanPaddingTopLeft: [50, 5] }; // of the zoom buttons
  const REDRAW_MS = 250; // of the time to go

  const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  class Inspector {
    constructor(layer, map) {
      this._layer = layer;
      this._map = map;
      this._bib = null;
      this._followed = null;
      this._popup = L.popup({ ...KEPT_CLEAR, autoPan: true, className: 'competitor', maxWidth: 260 });
      this._label = new FollowControl(() => this._choose(null)).addTo(map);
      map.on('click', this._pick, this);
      map.on('popupclose', this._forget, this);
      map.on('dragstart', () => this._choose(null));
      this._next = null; // the element with the time to go
      this._timer = setInterval(() => this._countDown(), REDRAW_MS);
      this._hearKey = (event) => this._escape(event);
      for (const one of [document, window.parent.document]) one.addEventListener('keydown', this._hearKey);
    }

    stop() {
      clearInterval(this._timer);
      for (const one of [document, window.parent.document]) one.removeEventListener('keydown', this._hearKey);
      this._map.off('click', this._pick, this);
      this._map.off('popupclose', this._forget, this);
      this._label.remove();
    }

    get followed() {
      return this._followed;
    }

    get shown() {
      return this._bib;
    }

    // Opens a competitor's details.
    open(bib) {
      const at = this._layer.latLng(bib);
      if (!at) return;
      this._bib = bib;
      this._popup.setContent(this._content(bib)).setLatLng(at).openOn(this._map);
      this._layer.redraw();
    }

    follow(bib) {
      this._followed = bib;
      this._label.show(bib === null ? null : this._layer.nameOf(bib));
      if (this._bib !== null) this._popup.setContent(this._content(this._bib));
      this.keepUp();
      this._layer.redraw();
    }

    // The viewer's choice, which the page keeps in the link.
    _choose(bib) {
      if (bib === this._followed) return;
      this.follow(bib);
      this._layer.emit('follow', { bib });
    }

    // A new payload, or the names.
    refresh() {
      this._label.show(this._followed === null ? null : this._layer.nameOf(this._followed));
      if (this._bib !== null) this._popup.setContent(this._content(this._bib));
    }

    // A frame is drawn.
    keepUp() {
      const at = this._bib === null ? null : this._layer.latLng(this._bib);
      if (at) this._popup.setLatLng(at);
      const followed = this._followed === null ? null : this._layer.latLng(this._followed);
      if (followed && !this._isWellInside(followed)) this._map.panTo(followed, { animate: !calm.matches });
    }

    // Escape closes the details, from the page around the map too, and does there what it does else.
    _escape({ key, currentTarget }) {
      if (key !== 'Escape') return;
      const page = window.parent;
      if (this._bib !== null) {
        this._popup.close();
        if (currentTarget === document) this._map.getContainer().focus({ preventScroll: true });
      } else if (currentTarget === document) {
        page.document.dispatchEvent(new page.KeyboardEvent('keydown', { key }));
      }
    }

    _isWellInside(at) {
      const size = this._map.getSize();
      const { x, y } = this._map.latLngToContainerPoint(at);
      const inside = (value, length) => value > length * CALM_PART && value < length * (1 - CALM_PART);
      return inside(x, size.x) && inside(y, size.y);
    }

    _pick({ containerPoint }) {
      const bib = this._layer.nearest(containerPoint, REACH_PX);
      if (bib !== null) this.open(bib);
    }

    _forget({ popup }) {
      if (popup !== this._popup) return;
      this._bib = null;
      this._layer.redraw();
    }

    _content(bib) {
      const box = L.DomUtil.create('div', 'competitor-card');
      L.DomUtil.create('strong', '', box).textContent = this._layer.nameOf(bib);
      const list = L.DomUtil.create('dl', '', box);
      for (const [word, value] of this._facts(bib)) addFact(list, word, value);
      this._next = this._expect(list, this._layer.expectedOf(bib));
      for (const [word, value] of this._about(bib)) addFact(list, word, value);
      const isFollowed = this._followed === bib;
      const button = L.DomUtil.create('button', '', box);
      button.type = 'button';
      button.textContent = isFollowed ? 'Stop following' : 'Follow on the map';
      L.DomEvent.on(button, 'click', (event) => {
        L.DomEvent.stop(event);
        this._choose(isFollowed ? null : bib);
      });
      return box;
    }

    // Adds what is expected to the list; returns the element with the time to go, or null.
    _expect(list, found) {
      if (found === null) return null;
      const next = addExpected(list, 'Next');
      // Right after a point was passed, the next one is not known yet.
      writeExpected(next, found.next ? forecastWords.nextTexts(found.next, found.now) : [formatting.UNKNOWN, '']);
      for (const by of ['gun', 'chip']) {
        writeExpected(addExpected(list, `Finish, ${by}`), forecastWords.finishTexts(found[by]));
      }
      return next;
    }

    _countDown() {
      const found = this._bib === null || this._next === null ? null : this._layer.expectedOf(this._bib);
      if (found && found.next) writeExpected(this._next, forecastWords.nextTexts(found.next, found.now));
    }

    _facts(bib) {
      const { place, status, distance, gun, chip, reason } = this._layer.factsOf(bib);
      const isExact = status === 'finished' || status === 'dsq';
      const time = isExact ? formatting.exactTime : formatting.raceTime;
      const { laps } = this._layer.course;
      const facts = [
        ['Bib', String(bib)],
        ['Place', place > 0 ? String(place) : formatting.UNKNOWN],
        ['Status', formatting.statusWords(status, reason)],
        ['Covered', formatting.distance(distance)],
        ...(laps > 1 ? [['Lap', `${this._layer.course.lapAt(distance)} of ${laps}`]] : []),
        ['Pace', `${formatting.pace(chip, distance)} /${formatting.unit().symbol}`],
      ];
      if (isExact) facts.push(['Official time', formatting.officialTime(gun)]);
      facts.push(['Gun time', time(gun)], ['Chip time', time(chip)]);
      return facts;
    }

    _about(bib) {
      const { category, club } = this._layer.factsOf(bib);
      return [['Category', category], ['Club', club]].filter(([, value]) => value);
    }
  }

  // Adds a word and a value to a list; returns the value's element.
  function addFact(list, word, value) {
    L.DomUtil.create('dt', '', list).textContent = word;
    const into = L.DomUtil.create('dd', '', list);
    into.textContent = value;
    return into;
  }

  // Adds a word, and a place for a forecast with its interval; returns the place.
  function addExpected(list, word) {
    const place = addFact(list, word, '');
    place.className = 'expected';
    L.DomUtil.create('span', '', place);
    L.DomUtil.create('small', '', place);
    return place;
  }

  function writeExpected({ children }, texts) {
    texts.forEach((text, nth) => {
      if (children[nth].textContent !== text) children[nth].textContent = text;
    });
  }

  // Shows which competitor is followed, and stops following on a click.
  const FollowControl = L.Control.extend({
    options: { position: 'topright' },

    initialize(onEnd) {
      this._onEnd = onEnd;
    },

    onAdd() {
      this._button = L.DomUtil.create('button', 'race-follow');
      this._button.type = 'button';
      this._button.hidden = true;
      L.DomEvent.disableClickPropagation(this._button);
      L.DomEvent.on(this._button, 'click', this._onEnd);
      return this._button;
    },

    show(name) {
      this._button.hidden = name === null;
      this._button.textContent = name === null ? '' : `Following ${name} ✕`;
      this._button.setAttribute('aria-label', name === null ? '' : `Stop following ${name}`);
    },
  });

  window.Racecast = Object.assign(window.Racecast || {}, { Inspector });
})();
