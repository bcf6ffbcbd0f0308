"""Repositories of the use cases: what they save and lock, a table or a few in each file."""
