"""What a pressed button or a submitted modal does: commit, acknowledge, answer."""
