"""Probes: one guarded HTTP request to green each."""
