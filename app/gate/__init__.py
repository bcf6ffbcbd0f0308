"""What is true of a gate. Pure: no Slack, AWS, SQL, web or clock; time is an argument."""
