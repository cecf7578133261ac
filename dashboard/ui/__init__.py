"""What all pages share: formatting, escaping, notices, colours.

It may import `dashboard.context`, `dashboard.store` and `stream`.
"""
