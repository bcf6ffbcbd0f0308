"""Checks of `infra/` and `.github/`."""
