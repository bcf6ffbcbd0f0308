"""Services of one's own kind."""

from tests.slack.conftest import build

__all__ = ["build"]
