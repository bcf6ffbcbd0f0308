"""Slack, both ways: presses and commands in, cards and answers out."""
