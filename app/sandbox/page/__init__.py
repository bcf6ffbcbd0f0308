"""The sandbox's one page: Slack on the left, the domains on the right, live. Start with `server.py`."""
