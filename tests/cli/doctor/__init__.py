"""`switchgate doctor` against the stand-ins."""
