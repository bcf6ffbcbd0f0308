"""Undo: requested by a person, executed by a worker."""
