"""Messages to people: cards, timelines, announcements, reminders."""
