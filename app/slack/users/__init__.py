"""Who people are, as Slack says: accounts, group members, e-mail addresses."""
