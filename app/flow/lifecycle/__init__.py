"""A switch from its hook to its end: gate opened, deployment polled, decision reported."""
