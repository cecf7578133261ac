"""Recorded races, told again: read out of files, and told by the engine that tells races that are computed.

`recording` is what the engine takes; `lines` makes it of our own events, `tracks` of GPX files, with
`matching` to find where on the course somebody was. `command` is the process.
"""
