"""Background work: every worker in a registry, and how workers run."""
