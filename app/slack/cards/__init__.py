"""Cards and their parts, rendered from stored data."""
