"""Where races are read from: `protocol` says what a store offers, Pinot and SQLite implement it.

It may import `stream`.
"""
