"""Pinot's side of Racecast: schemas, tables, topics, and the set-up that brings them into a cluster."""
