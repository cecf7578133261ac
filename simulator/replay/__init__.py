"""Recorded races: read from Racecast events or recorded tracks, and run again by the engine.

`recording` is the engine's input. `lines` creates one from events, `tracks` from tracks: `files` finds them,
`readers` reads GPX, KML and TCX, `times` their times, `fixes` chooses the usable fixes, `names` the bibs and
names, `pieces` joins the pieces of a run, and `matching` finds the distance along the course. It may import
`simulator.race` and what is below it.
"""
