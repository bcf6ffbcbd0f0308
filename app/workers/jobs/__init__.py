"""The step of each worker: claims due rows, runs a use case for each, and notifies other workers."""
