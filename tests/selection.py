"""Which tests need a service, and in which order files are run."""

from collections.abc import Sequence
from typing import Final

import pytest

SERVICES: Final = frozenset({"postgres", "chromium", "fakes", "shell"})
"""Fixtures that start something."""

FOLDERS: Final = frozenset({"browser", "chaos", "cli", "container", "db", "hook_lambda", "infra", "sandbox"})
"""Folders whose tests start a browser, commands, a Postgres of their own, or the servers of the stand-ins."""


def mark_services(items: Sequence[pytest.Item]) -> None:
    """Marks as `service` what needs Postgres, a browser, another process or the stand-ins."""
    for item in items:
        folder = item.nodeid.split("/")[1]
        if folder in FOLDERS or SERVICES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.service)


def slow_files_first(items: list[pytest.Item]) -> None:
    """Begins with the files that take minutes, chaos first: a last one would keep a single worker busy alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in slow, "tests/chaos/" not in item.nodeid))
