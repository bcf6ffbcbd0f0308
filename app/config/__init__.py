"""Reads and validates the environment and `switchgate.toml`; holds the configuration in use."""
