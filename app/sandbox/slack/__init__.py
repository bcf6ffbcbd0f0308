"""The stand-in Slack: one workspace and one app, over Slack's own HTTP and WebSocket protocols."""
