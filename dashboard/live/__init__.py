"""The live page: figures, leaderboard and map of a race.

It may import `dashboard.race` and what is below it.
"""
