"""Handlers of buttons and modals: commit, acknowledge, reply."""
