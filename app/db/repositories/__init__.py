"""What the flow saves and locks, a table or a few in each file."""
