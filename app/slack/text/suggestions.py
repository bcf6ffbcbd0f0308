"""Unknown words, each with the domain or command that was probably meant."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from app.config.reserved_words import FIRST_WORDS, SYNONYMS
from app.flow.ports.rules import Rules
from app.gate.ids import DomainName
from app.i18n.catalog import Texts
from app.slack.text.escape import inline
from app.slack.text.truncation import named_list

MAX_NAMES: Final = 5
_SEPARATOR: Final = re.compile("[,;、]")


def named_domains(words: Sequence[str]) -> tuple[DomainName, ...]:
    """Domain names separated by spaces or commas, without duplicates."""
    names = [part for word in words for part in _SEPARATOR.split(word.lower()) if part]
    return tuple(dict.fromkeys(DomainName(name) for name in names))


def near_name(name: str, rules: Rules) -> DomainName | None:
    """The domain that was probably meant."""
    near = get_close_matches(name, rules.domain_names(), n=1)
    return DomainName(near[0]) if near else None


def unknown_names_text(names: Sequence[str], *, rules: Rules, texts: Texts) -> str:
    """The unknown names, with suggestions."""
    shown = []
    for name in names[:MAX_NAMES]:
        near, said = near_name(name, rules), inline(name, max_chars=40)
        shown.append(texts("freeze.did_you_mean", name=said, near=near) if near else said)
    return named_list([*shown, *names[MAX_NAMES:]], texts=texts, max_items=MAX_NAMES)


def not_understood(words: str, *, rules: Rules, texts: Texts) -> str:
    """The text for words after `/deploys` that are no command and no domain."""
    names = named_domains(words.split())
    if names and all(rules.domain(name) is not None for name in names):
        ways = named_list([f"`/deploys {name}`" for name in names], texts=texts, max_items=MAX_NAMES)
        return texts("deploys.one_at_a_time", ways=ways)
    said = texts("deploys.unknown", words=inline(words, max_chars=80))
    near = get_close_matches(names[0], [*rules.domain_names(), *FIRST_WORDS, *SYNONYMS], n=1) if names else []
    return f"{said} {texts('deploys.near', near=near[0])}" if near else said
