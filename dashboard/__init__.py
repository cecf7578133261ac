"""The dashboard: shows races from Pinot or SQLite and creates new ones through the API."""
