"""What is posted to Slack and where: cards, their copies, threads, announcements, channels."""
