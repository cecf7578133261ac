"""Courses: read from KML, KMZ, GPX, TCX and GeoJSON files, checked, and measured on WGS84.

A reader turns a file into a `Drawing`, `survey` turns a drawing into a `Course`. It may import `stream`.
"""
