"""Rows and JSON of the database as values of the flow, and back."""
