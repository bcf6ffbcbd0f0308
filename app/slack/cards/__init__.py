"""Cards and their parts, drawn from the database."""
