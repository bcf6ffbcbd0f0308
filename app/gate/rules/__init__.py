"""A domain's rules, held against the state of things; pure."""
