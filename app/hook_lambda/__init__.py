"""The hook's sender, deployed alone: `handler.py` imports nothing of ours, and nothing of ours needs it."""
