"""Votes, and every other way in which a gate is approved."""
