"""Background work: the registry of all workers, and how workers run."""
