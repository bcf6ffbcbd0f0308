"""The door that the hook Lambda knocks at."""
