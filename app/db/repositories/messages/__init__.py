"""Messages in Slack and their places: cards, their copies, threads, announcements, channels."""
