"""Evidence: read from AWS while a gate waits."""
