"""What people are told: cards, timelines, announcements, reminders."""
