"""`/api/v1`: questions for machines."""
