"""Users in Slack: accounts, group members, e-mail addresses."""
