"""Where races are read from: `protocol` is the contract, Pinot and SQLite implement it.

It may import `stream`.
"""
