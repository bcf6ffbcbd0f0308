"""Cuts long text to Slack's limits: whole lines, and the number of the rest."""

from collections.abc import Sequence
from typing import Final

from app.i18n.catalog import Texts
from app.slack.blocks import Block, cut_markup, section

SECTION_CHARS: Final = 2900
MAX_SECTIONS: Final = 4
MAX_NAMES: Final = 20


def answer_sections(text: str, *, texts: Texts) -> list[Block]:
    """The text in sections of whole lines; what does not fit is counted in a last one."""
    chunks: list[list[str]] = [[]]
    lines = text.split("\n")
    for place, line in enumerate(lines):
        shown = cut_markup(line, SECTION_CHARS)
        if chunks[-1] and sum(len(one) + 1 for one in chunks[-1]) + len(shown) > SECTION_CHARS:
            if len(chunks) == MAX_SECTIONS:
                more = texts.plural("answer.more", count=len(lines) - place)
                return [*map(_section, chunks), section(more)]
            chunks.append([])
        chunks[-1].append(shown)
    return [_section(chunk) for chunk in chunks if any(chunk)]


def named_list(names: Sequence[str], *, texts: Texts, max_items: int = MAX_NAMES) -> str:
    """The first names separated by commas, and the number of the rest."""
    shown = list(names[:max_items])
    if len(names) > max_items:
        shown.append(texts.plural("rule.more", count=len(names) - max_items))
    return ", ".join(shown)


def _section(lines: Sequence[str]) -> Block:
    return section("\n".join(lines))
