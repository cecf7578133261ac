"""What all pages share: formatting, escaping, notices, colours.

It may import `dashboard.store` and `stream`.
"""
