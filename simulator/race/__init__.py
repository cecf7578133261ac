"""The core: a race as a pure function of its course, its request and the race time.

No module does I/O or reads a clock. It may import `simulator.course` and `stream`.
"""
