"""Crowding: competitors on a narrow course hold each other up.

The model is a kinematic wave with free overtaking below capacity, after Treiber (2014, arXiv:1403.4969).
`cells` cuts a course into cells, `queues` makes of a field without crowding one with it, and `density`
measures density, flow and delay of the result; `simulator.race.crowd_figures` has the constants with their
sources. All are pure functions of arrays.
"""
