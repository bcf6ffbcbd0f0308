"""The hook's signature and its sender."""
