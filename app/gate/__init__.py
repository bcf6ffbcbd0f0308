"""The rules of a gate. Pure code without Slack, AWS, SQL, web or clock; the time is an argument."""
