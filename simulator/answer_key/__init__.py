"""The answer key: what a correct consumer of a race's stream would say, and a grade for what one does say.

Everything is a function of the race: `published.py` finds which events the stream has when; `windows.py`,
`boards.py`, `timing.py` and `repeats.py` answer questions about it; `kinds.py` lists the questions, with the
form of their answers (`rows.py`) and the mistakes that a consumer may make; `grade.py` compares.
docs/check-your-pipeline.md shows how to use it.
"""
