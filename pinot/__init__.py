"""Pinot's side of Racecast: schemas, tables, topics, and the commands that deploy and check them."""
