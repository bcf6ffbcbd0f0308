"""Checks: reported by CI, run by probes."""
