"""The engine: decides which race's tick is due, and hands its events to a publisher.

It may import `simulator.publishers` and what is below it, and knows nothing of HTTP.
"""
