"""`/deploys` and its subcommands."""
