"""Forecasts of a running race: when will a competitor reach the next timing point and the finish?

Used by the API and the dashboard. Everything follows from what a reader of the stream knows at one moment:
the course, and the passings and positions published so far. Pure: arrays in, arrays out.

`route.py` is the course, `seen.py` what is known. `habits.py` learns how this field runs, `pacing.py` fits
how each competitor runs, `between.py` is about the way from one timing point to the next, and `arrivals.py`
makes forecasts of all that; `outlook.py` is all of it for a page. docs/forecasts.md has the method.
"""
