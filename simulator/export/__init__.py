"""Results, tracks and crowding of a race as files: CSV, JSON, GPX, GeoJSON and KML.

`results` and `tracks` are pure functions of a race and the time up to which it is published, `crowding` of
the whole race. The writers generate text in pieces, so that no whole file is in memory. It may import
`simulator.race` and what is below it.
"""
