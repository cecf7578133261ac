"""A race as all pages see it: snapshots shared by all viewers, standings, results, the map, and the routes..

It may import `dashboard.ui`, `dashboard.store` and `stream`.
"""
