"""Results and tracks of a race as files: CSV, JSON, GPX, GeoJSON and KML.

`results` and `tracks` are pure: a race and how far it may be told in, columns out. The writers turn them
into text piece by piece, so that no file is ever in memory as a whole. It may import `simulator.race` and
what is below it.
"""
