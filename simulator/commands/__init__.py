"""The command line: one module for each command, and what builds the parts for them.

It may import everything else in `simulator`.
"""
