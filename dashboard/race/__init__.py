"""A race as all pages see it: shared snapshots, standings, results, the map, and the routes.

It may import `dashboard.ui`, `dashboard.store` and `stream`.
"""
