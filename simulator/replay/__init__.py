"""Recorded races: read from Racecast events or GPX tracks, and run again by the engine.

`recording` is the engine's input; `lines` creates one from events, `tracks` from GPX files, and `matching`
finds a track's distance along the course. It may import `simulator.race` and what is below it.
"""
