"""The tables of `switchgate.toml`, with the description and the problems of each key."""
