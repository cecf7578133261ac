"""Parts of the forms for a race request: the course, the inputs of its fields, and paces.

It may import `dashboard.race` and what is below it.
"""
