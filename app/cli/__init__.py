"""The command line: `switchgate …`. Parses, calls one thing, prints."""
