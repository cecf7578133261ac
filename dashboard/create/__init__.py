"""The page that creates a race: course, presets, options.

It may import `dashboard.race` and what is below it.
"""
