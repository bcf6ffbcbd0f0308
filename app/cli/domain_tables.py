"""The `switchgate.toml` tables of discovered deployment groups."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Final

from app.config.reserved_words import RESERVED_WORDS
from app.config.schema import toml_value

MAX_NAME_CHARS: Final = 36
"""Of the 40 of a domain's name; the rest is for a number."""

SUFFIX: Final = re.compile(r"[-_](app|application|codedeploy)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundGroup:
    """A deployment group. `obstacle`: why it cannot be a domain; `notes`: what to check before it is one."""

    application: str
    deployment_group: str
    listener_port: int | None
    obstacle: str | None = None
    notes: tuple[str, ...] = ()


def tables_text(groups: Sequence[FoundGroup]) -> str:
    """TOML; groups that cannot be domains are comments at its end."""
    usable = [group for group in groups if group.obstacle is None]
    names = domain_names([group.application for group in usable])
    tables = [_table(name, group) for name, group in zip(names, usable, strict=True)]
    others = [_other(group) for group in groups if group.obstacle is not None]
    return "\n".join([*tables, *others])


def domain_names(applications: Sequence[str]) -> list[str]:
    """A name for each: the application's without the words that all share."""
    shared = _shared_prefix(applications)
    names: list[str] = []
    for application in applications:
        short = SUFFIX.sub("", application.lower().removeprefix(shared))
        plain = re.sub(r"[^a-z0-9_-]+", "-", short).strip("-_")[:MAX_NAME_CHARS]
        names.append(_free(plain or "domain", names))
    return names


def _shared_prefix(applications: Sequence[str]) -> str:
    """The leading words, each with its dash, that every application has and that leave something over."""
    split = [re.findall(r"[^-_]+[-_]?", SUFFIX.sub("", one.lower())) for one in set(applications)]
    if len(split) < 2:
        return ""
    shared = ""
    for words in zip(*(each[:-1] for each in split), strict=False):
        if len(set(words)) > 1:
            break
        shared += words[0]
    return shared


def _free(name: str, taken: Sequence[str]) -> str:
    candidates = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(one for one in candidates if one not in taken and one not in RESERVED_WORDS)


def _table(name: str, group: FoundGroup) -> str:
    lines = [
        *(f"# {note}" for note in group.notes),
        f"[domains.{name}]",
        f"application = {toml_value(group.application)}",
        f"deployment_group = {toml_value(group.deployment_group)}",
    ]
    if group.listener_port is not None:
        lines.append(f"listener_port = {group.listener_port}")
    return "\n".join(lines) + "\n"


def _other(group: FoundGroup) -> str:
    return f"# {group.application} / {group.deployment_group}: {group.obstacle}\n"
