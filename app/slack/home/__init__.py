"""App Home: queried, drawn, published."""
