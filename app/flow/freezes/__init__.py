"""Freezes: declared and lifted."""
