"""`switchgate doctor`: checks the whole setup, a finding each with its remedy. `examine.py` runs all of them."""
