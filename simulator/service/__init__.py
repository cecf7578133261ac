"""Application logic without HTTP: create and find races, accept course files, recover earlier races.

It may import `simulator.engine` and what is below it.
"""
