"""Modals that buttons and commands open."""
