"""The Chromium that is on this machine, driven by Playwright; it reaches this machine and nothing else."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REQUIRED: Final = "SWITCHGATE_BROWSER_TESTS"
MISSING: Final = "no Chromium on this machine: apt-get install chromium fonts-noto-cjk fonts-noto-color-emoji"
ONLY_HERE: Final = (
    "--no-sandbox",  # root, as in containers, may not have Chromium's own sandbox
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)


def find_chromium() -> str | None:
    """Its path, looked for on PATH."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def is_required() -> bool:
    """Whether a missing browser is a failure rather than a reason to skip."""
    return os.environ.get(REQUIRED) == "required"


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Raises `LookupError` where there is none."""
    path = find_chromium()
    if path is None:
        raise LookupError(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ONLY_HERE))
        yield browser
        browser.close()
