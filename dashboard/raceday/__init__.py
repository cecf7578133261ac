"""The race day page: who is out or close at each cut-off, and when how many arrive at the aid stations.

`chances`, `limits` and `arrivals` are pure; `days` reads a race once for all viewers. The package uses
`dashboard.race` and what is below it.
"""
