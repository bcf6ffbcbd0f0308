"""Slack: receives actions and commands, publishes cards and replies."""
