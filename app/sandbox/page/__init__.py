"""The sandbox's page: Slack on the left, the domains on the right, updated live. Start with `server.py`."""
