"""What the workspace holds: people, channels, messages, views, secrets, and the app's calls."""
