"""An embedded Postgres for trials, tests and single machines, and the private files that it needs."""
