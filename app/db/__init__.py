"""Postgres: the state of everything, and the audit trail of all that happened."""
