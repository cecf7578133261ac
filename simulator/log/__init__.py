"""The race log: the states of all races in their order, and how far each part of a race is delivered.

It is Kafka's (topics `races` and `progress`), or the tables of the embedded store. It may import
`simulator.publishers` and what is below it.
"""
