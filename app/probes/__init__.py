"""Probes of our own: one guarded request to green."""
