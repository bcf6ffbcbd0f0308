"""Reads for people and machines: search, App Home, the audit trail."""
