"""Bibs and names of recorded tracks, as a person would read them from the tracks' and the files' names."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.race.start_list import MAX_BIB, MAX_WORDS, OPEN, StartList
from simulator.replay.fixes import Recorded, moment
from stream.arrays import Ints

_SUFFIXES = re.compile(r"(?:\.(?:gpx|kml|kmz|tcx|xml|txt|gz|zip))+$", re.IGNORECASE)
_CLOCK = r"[0-2]?[0-9][-_:.h][0-5][0-9](?:[-_:.m][0-5][0-9])?s?Z?(?![0-9])(?: ?[ap]\.?m\b\.?)?"
_MONTH = (
    "(?:jan|feb|fév|mar|mär|apr|avr|abr|may|mai|jun|jui|jul|aug|aoû|ago|sep|oct|okt|ott|nov|"
    "de[czs]|déc|dic|ene|gen)"
)
_DATES = re.compile(
    r"(?<![0-9])(?:[0-9]{4}([-_./])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-_./])[0-9]{1,2}\2(?:[0-9]{2}){1,2}|"
    r"(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日|"
    rf"[0-9]{{1,2}}[-._ ]{{1,2}}{_MONTH}[^\W\d_]*[-._ ]{{1,2}}(?:[0-9]{{2}}){{1,2}}|"
    rf"{_MONTH}[^\W\d_]* {{1,2}}[0-9]{{1,2}}(?:,? [0-9]{{4}}| {_CLOCK} [0-9]{{4}}))(?![0-9])"
    rf"(?:[T _,-]{{1,3}}(?:{_CLOCK}|[0-9]{{4}}(?:[0-9]{{2}})?Z?(?![0-9])))?|"
    r"(?<![0-9])[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9])?(?![0-9])|"
    r"(?<![^\W_])(?:[0-9]{1,2}h ?)?[0-9]{1,2}m ?[0-9]{1,2}s(?![^\W_])|[0-9]{7,}",
    re.IGNORECASE,
)
"""Dates, perhaps with a time, times, durations, and numbers longer than a bib."""
_COPY = re.compile(r"\s*\([0-9]\)$")
_COPIED = re.compile(
    r"(?:\s+|\s*- ?)(?:copy|kopie|copie|copia)(?: [0-9]| \([0-9]\))?$|^copy of ", re.IGNORECASE
)
"""What programs add to the name of a copied file."""
_GROUP = re.compile(r"\b(?:wave|welle|vague|oleada|corral|block|heat) ?[0-9]{1,2}\b", re.IGNORECASE)
_RUNNER = "runner|athlete|competitor|participant|läufer(?:in)?|coureu(?:r|se)|corredora?|atleta"
_BIB = (
    rf"(?:\b(?:bib|start-?(?:nummer|nr|er)|stnr|startowy|dossard|dorsal|pettorale|peito|{_RUNNER})|ゼッケン)"
)
_NUMBER = r"(?:\b(?:nr|no|num(?:[mb]?er|[eé]ro)?|número|номер|n[°º])|[#№])"
_LABELS = rf"(?:{_BIB}[\s.:#-]*(?:{_NUMBER}[\s.:#-]*)?|(?P<weak>{_NUMBER})[\s.:#-]*(?:{_BIB}[\s.:#-]*)?)"
_BIBS = (
    re.compile(rf"(?P<before>.*?){_LABELS}(?P<bib>[0-9]{{1,6}})\b(?P<after>.*)", re.IGNORECASE),
    re.compile(r"(?P<before>)\[?(?P<bib>[0-9]{1,6})(?=[\s.,:;)\]/-]|[^\W\d_]{3}|$)(?P<after>.*)"),
    re.compile(r"(?P<before>.*\S)\s*[(\[](?P<bib>[0-9]{1,6})[)\]](?P<after>)"),
    re.compile(r"(?P<before>.*[^\W\d].*)\s(?P<bib>[0-9]{1,6})(?P<after>)"),
)
"""The name before, the bib, the name after, the surest first: `Bib 17`, `17 Anna`, `Anna (17)`, `Anna 17`."""
_UNIT = re.compile(r"\s*(?:kms?|mile|miler|meilen|(?:k|mi|miles?)(?=\s*$))\b", re.IGNORECASE)
_DISTANCE = re.compile(r"[0-9]+(?:[.,][0-9]+)?\s*(?:kms?|k|mi|miles?|m)", re.IGNORECASE)
_BESIDE = re.compile(r"\b[0-9]+(?:[.,][0-9]+)?\s*(?:kms?|k)\b", re.IGNORECASE)
"""Distances that may stand beside a name."""
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_AROUND = " -_.,:;()[]#/"
_DASH = re.compile(r"[\u2010-\u2015]")
_PARTS = re.compile(r"\s+[-|:]\s+")
_WORDS = frozenset(Path(__file__).with_name("titles.txt").read_text("utf-8").split())
"""Words of the names that recorders and sites give to activities, and of events' titles."""
_ENDINGS = ("lauf", "loop", "løb", "løp", "löpning", "juoksu")
_INSIDE = re.compile(
    r"ランニング|ラン$|ウォーキング|跑步|步行|晨跑|夜跑|러닝|달리기|วิ่ง|chạy bộ", re.IGNORECASE
)


class _Personal(IntEnum):
    """Whether a text may be a person's name: no, as part of a title (`Ann's run`), or it is nothing else."""

    NO = 0
    PERHAPS = 1
    YES = 2


class Label(NamedTuple):
    """What a name says: the bib, or None, and the rest; and whether that may be a person's name."""

    bib: int | None = None
    name: str = ""
    personal: _Personal = _Personal.NO


def entries(tracks: Sequence[Recorded], warnings: list[str]) -> tuple[Ints, StartList]:
    """Return the tracks' order by bib, and their start list.

    A track's own name counts, unless it repeats, is a title, or has no bib and the file's name has one. If no
    name is a person's, one that contains a title counts: `Ann's run`.

    Tracks without a bib get the lowest free one; so do those whose bib is taken, with a warning.
    """
    said = labels(tracks)
    bibs: list[int | None] = []
    for label, track in zip(said, tracks, strict=True):
        is_taken = label.bib is not None and label.bib in bibs
        if is_taken:
            warnings.append(f"{track.where()}: bib {label.bib} is taken: it gets a free one")
        bibs.append(None if is_taken else label.bib)
    free = (bib for bib in count(1) if bib not in set(bibs))
    taken = [bib or next(free) for bib in bibs]
    names = [label.name or f"Runner {bib}" for label, bib in zip(said, taken, strict=True)]
    order = np.argsort(taken, kind="stable")
    some = len(tracks)
    return order, StartList(
        np.array(taken, np.int64)[order],
        tuple(names[nth][:MAX_WORDS] for nth in order),
        (OPEN,) * some,
        ("",) * some,
        None,
        np.full(some, np.nan),
    )


def labels(tracks: Sequence[Recorded]) -> list[Label]:
    """Return what the names of tracks, files and folders say about each."""
    counts = Counter(place for track in tracks for place in _places(track.source))
    per_name = Counter(track.name for track in tracks)
    return [_label(track, counts, repeats=per_name[track.name] > 1) for track in tracks]


def _places(source: str) -> list[str]:
    """Return the paths of a file and of the folder or archive that it is in."""
    folder = source.rpartition("/")[0]
    return [source, folder] if folder else [source]


def _label(track: Recorded, counts: Mapping[str, int], *, repeats: bool) -> Label:
    """Return a track's bib and name.

    Names of a file, or else of the folder that it is in, say something only about the only track in it.
    """
    year = moment(float(track.time[0]))[:4]
    own = _read(_undated(track.name), year)
    alone = [_of_file(place, year) for place in _places(track.source) if counts[place] == 1]
    file = max(alone, key=lambda label: bool(label.bib) + bool(label.personal), default=Label())
    is_title = bool(own.name) and own.personal < _Personal.YES
    uses_bib = file.bib is not None and (own.bib is None or is_title)
    ranked = (file, own) if repeats or uses_bib else (own, file)
    bib = file.bib if uses_bib else own.bib
    best = max(ranked, key=lambda label: label.personal)
    if best.personal and not (repeats and best is own):
        return Label(bib, best.name, best.personal)
    title = f"{own.name} {moment(float(track.time[0]))[:10]}" if own.name and repeats else own.name
    return Label(bib, "" if bib else title)


def _of_file(source: str, year: str) -> Label:
    """Return what a file's name says; `17_anna-smith.gpx` is 17 and Anna Smith."""
    words = _undated(_SUFFIXES.sub("", source.rpartition("/")[2]))
    if " " not in words or words == words.lower():
        words = re.sub(r"(?<=\w)(?:-|\.(?![0-9]))(?=\w)", " ", words)
    return _read(words.title() if words == words.lower() else words, year)


def _undated(text: str) -> str:
    """Return a name without its dates, with blanks instead of underscores."""
    return _DATES.sub(" ", text).replace("_", " ").strip()


def _read(text: str, year: str) -> Label:
    """Return what a name says; `year` is that of the recording."""
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    text = _COPIED.sub("", " ".join(_DASH.sub("-", text).split()))
    text = " ".join(_GROUP.sub(" ", text).split()).strip(_AROUND[:8])
    shorter = " ".join(_BESIDE.sub(" ", text).split()).strip(_AROUND[:8])
    if shorter != text and (found := _parsed(shorter, year)).personal == _Personal.YES:
        return found
    return _parsed(text, year)


def _parsed(text: str, year: str) -> Label:
    """Return the bib and the name in a text without dates; a number of an event or a distance is no bib."""
    for pattern in _BIBS:
        if not (found := pattern.fullmatch(text)):
            continue
        before, number, after = found["before"], found["bib"], found["after"]
        name = " ".join([before.strip(_AROUND), _COPY.sub("", after).strip(_AROUND)]).strip()
        name = "" if re.fullmatch(_RUNNER, name, re.IGNORECASE) else name
        is_title = bool(name) and _personal(name) < _Personal.YES
        is_sure = "weak" in pattern.groupindex and not (found["weak"] and is_title)
        counts = _UNIT.match(after) or (is_title and (before or _YEAR.fullmatch(number)))
        is_year = number == year and bool(before)
        if 1 <= int(number) <= MAX_BIB and (is_sure or not (counts or is_year)):
            return Label(int(number), *_person(name))
        if is_year and not is_title:
            return Label(None, *_person(name))
    return Label(None, *_person(_COPY.sub("", text)))


def _person(text: str) -> tuple[str, _Personal]:
    """Return a text and whether it is a name; of `Ann Smith - Morning Run`, the part that may be one."""
    parts = [part for part in _PARTS.split(text) if _personal(part) == _Personal.YES]
    personal = _personal(text)
    if personal == _Personal.PERHAPS and len(parts) == 1:
        text = parts[0]
    return text, personal


def _personal(text: str) -> _Personal:
    """Return whether a text is a name, or the title of an activity or an event."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    titles = [word in _WORDS or word.endswith(_ENDINGS) for word in words]
    if not text or all(titles) or _INSIDE.search(text) or _DISTANCE.fullmatch(text):
        return _Personal.NO
    return _Personal.PERHAPS if any(titles) else _Personal.YES
