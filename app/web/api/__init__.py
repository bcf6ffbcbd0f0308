"""`/api/v1`: queries and writes for machines."""
