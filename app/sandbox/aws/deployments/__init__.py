"""The life of a deployment: created, moved from step to step, its hooks called, described."""
