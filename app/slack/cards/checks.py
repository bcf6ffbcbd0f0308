"""A check in one line."""

from typing import Final
from urllib.parse import quote

from app.gate.rules.checks import Check, CheckState
from app.i18n.catalog import Texts
from app.slack.text.escape import inline

SIGNS: Final = {
    CheckState.FAILED: ":x:",
    CheckState.PENDING: ":hourglass_flowing_sand:",
    CheckState.PASSED: ":white_check_mark:",
}
STATE_ORDER: Final = tuple(SIGNS)
"""The worst first."""


def check_text(check: Check, texts: Texts) -> str:
    """The check's name, as a link where it has one, its state and its summary."""
    name = inline(check.name, max_chars=100)
    shown = f"<{_address(check.url)}|{name}>" if check.url else name
    said = texts(f"check.{check.state}", name=shown)
    return f"{said}: {inline(check.summary, max_chars=120)}" if check.summary.strip() else said


def _address(url: str) -> str:
    """Escapes characters that would end the link."""
    return quote(url, safe=":/?#[]@!$&'()*+,;=%-._~").replace("|", "%7C").replace("&", "&amp;")
