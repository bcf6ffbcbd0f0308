"""Sentences and phrases that cards, modals and commands share."""
