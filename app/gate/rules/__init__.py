"""A domain's rules, and their evaluation. Pure."""
