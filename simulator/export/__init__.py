"""Races given out: results and tracks, as files that other programs read.

`results` and `tracks` are pure: a race and how far it may be told in, columns out. The writers make files of
them, a piece at a time, so that no file is ever in memory whole. `formats` knows how a format is asked for,
`sending` how pieces get to a client, and `export` is the command line's way to the same files.
"""
