"""App Home: query, rendering, publishing."""
