"""The HTTP API: routes, OpenAPI, access, CORS, rate limits, metrics and its two pages.

It may import `simulator.service` and what is below it.
"""
