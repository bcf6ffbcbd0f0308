"""Block Kit's schema: validates blocks and views as Slack does."""
