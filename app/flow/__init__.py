"""What happens to gates, one step a file. Knows no Slack, AWS, SQL or web: only the ports it asks for."""
