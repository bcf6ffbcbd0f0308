"""The only writers of messages: cards, timelines, announcements."""
