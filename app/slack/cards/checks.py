"""Checks on a card: failed, then pending, then passed."""

from typing import Final
from urllib.parse import quote

from app.flow.read_models import GateView
from app.gate.rules.checks import Check, CheckState
from app.i18n.catalog import Texts
from app.slack.blocks import Block, section
from app.slack.text.escape import inline

MAX_CHECKS: Final = 10
"""Lines on a card; the rest is counted."""

STATE_ORDER: Final = (CheckState.FAILED, CheckState.PENDING, CheckState.PASSED)


def check_blocks(view: GateView, *, texts: Texts) -> list[Block]:
    """One section; empty if no check was reported."""
    if not view.checks:
        return []
    in_order = sorted(view.checks, key=lambda check: (STATE_ORDER.index(check.state), check.name))
    lines = [_line(check, texts) for check in in_order[:MAX_CHECKS]]
    if len(in_order) > MAX_CHECKS:
        lines.append(texts.plural("rule.more", count=len(in_order) - MAX_CHECKS))
    return [section("\n".join([f"*{texts('card.checks')}*", *lines]))]


def split_check_blocks(view: GateView, *, texts: Texts) -> tuple[list[Block], list[Block]]:
    """(section, []) if a check failed, so that it precedes the health of green; else ([], section)."""
    blocks = check_blocks(view, texts=texts)
    failed = any(check.state is CheckState.FAILED for check in view.checks)
    return (blocks, []) if failed else ([], blocks)


def _line(check: Check, texts: Texts) -> str:
    name = inline(check.name, max_chars=100)
    shown = f"<{_address(check.url)}|{name}>" if check.url else name
    line = texts(f"check.{check.state}", name=shown)
    return f"{line} {inline(check.summary, max_chars=120)}" if check.summary.strip() else line


def _address(url: str) -> str:
    """Escapes characters that would end the link."""
    return quote(url, safe=":/?#[]@!$&'()*+,;=%-._~").replace("|", "%7C").replace("&", "&amp;")
