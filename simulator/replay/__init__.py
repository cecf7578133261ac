"""Recorded races: read from our own events or from GPX tracks, and run again by the engine.

`recording` is what the engine takes; `lines` makes one from events, `tracks` from GPX files, and
`matching` finds a track's place along the course. It may import `simulator.race` and what is below it.
"""
