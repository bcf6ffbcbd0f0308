"""What is shown before deciding, as values; pure."""
