"""Postgres: all state, and the audit trail."""
