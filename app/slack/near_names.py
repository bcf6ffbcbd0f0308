"""Names that no domain has, each with the one that was probably meant."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from app.flow.rules_port import Rules
from app.gate.ids import DomainName
from app.i18n.catalog import Texts
from app.slack.outside import inline

MOST: Final = 5


def named_domains(words: Sequence[str]) -> tuple[DomainName, ...]:
    """Domains as people list them, with spaces or commas between, each once."""
    names = [part for word in words for part in word.lower().split(",") if part]
    return tuple(dict.fromkeys(DomainName(name) for name in names))


def near_name(name: str, rules: Rules) -> DomainName | None:
    """The domain that was probably meant."""
    near = get_close_matches(name, rules.domain_names(), n=1)
    return DomainName(near[0]) if near else None


def unknown_words(names: Sequence[str], *, rules: Rules, texts: Texts) -> str:
    """The names, as they were given."""
    shown = []
    for name in names[:MOST]:
        near, said = near_name(name, rules), inline(name, longest=40)
        shown.append(texts("freeze.did_you_mean", name=said, near=near) if near else said)
    return ", ".join(shown)
