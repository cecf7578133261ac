"""The engine: decides which race's tick is due and passes its events to a publisher.

It may import `simulator.publishers` and what is below it, but not HTTP.
"""
