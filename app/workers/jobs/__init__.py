"""What each worker does: it claims due rows, runs a use case for each, and notifies what this wakes."""
