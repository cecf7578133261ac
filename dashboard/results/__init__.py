"""The results page: finish list, charts and replay. It may import `dashboard.race` and what is below it."""
