"""The environment and `switchgate.toml`: read, checked, and in force."""
