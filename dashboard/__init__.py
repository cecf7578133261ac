"""The dashboard: a page that shows races from Pinot or SQLite and asks the API for new ones."""
