"""The forms that buttons open."""
