"""Parses the audit filters of the command line and the API."""

import re
from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Final, NamedTuple
from unicodedata import normalize

from app.db.queries.time_args import parse_time_arg

_MENTION: Final = re.compile(r"<@([A-Za-z0-9]+)(?:\|[^>]*)?>")
_USER_ID: Final = re.compile(r"[UW](?=[A-Z]*[0-9])[A-Z0-9]{4,}", re.IGNORECASE)
_BARE_ID: Final = re.compile(r"[UW][A-Z0-9]{4,}")
_DEPLOYMENT: Final = re.compile(r"d-[a-z0-9-]+", re.IGNORECASE)
_DEPLOYMENT_CHARACTERS: Final = 9
MAX_NAMED: Final = 5


class AuditActor(NamedTuple):
    """Somebody who acted: the id, and the name that they had last."""

    user: str
    name: str


def deployment_id(text: str) -> str:
    """CodeDeploy's id, whose letters are capitals. Raises `ValueError`."""
    normalized = normalize("NFKC", text).strip()
    if not _DEPLOYMENT.fullmatch(normalized):
        raise ValueError(f"{text!r} is no deployment's id; write CodeDeploy's, for example d-A1B2C3D4E")
    suffix = normalized[2:]
    return f"d-{suffix.upper() if len(suffix) == _DEPLOYMENT_CHARACTERS else suffix}"


def user_id(text: str) -> str | None:
    """The Slack user's id that is written, or is inside a mention; None: it is a name, or may be one."""
    normalized = normalize("NFKC", text).strip()
    if found := _MENTION.fullmatch(normalized):
        return found[1].upper()
    return normalized.upper() if _USER_ID.fullmatch(normalized) else None


def user_named(text: str, people: Sequence[AuditActor]) -> str:
    """The id of the one who is called so. `WALTER` is a name if somebody has it, else an id. Raises `ValueError` for no
    or several matches."""
    wanted = _normalized(text)
    found = [person for person in people if _normalized(person.name) == wanted]
    if len(found) == 1:
        return found[0].user
    if found:
        raise ValueError(f"several people are called {text!r}: {_formatted(found)}; write the id of one")
    if _BARE_ID.fullmatch(bare := normalize("NFKC", text).strip()):
        return bare
    near = get_close_matches(wanted, [_normalized(person.name) for person in people], n=MAX_NAMED)
    similar = [
        person
        for person in people
        if _normalized(person.name) in near or (wanted and wanted in _normalized(person.name))
    ]
    hint = f"; did you mean {_formatted(similar)}?" if similar else ""
    raise ValueError(
        f"nobody in the record is called {text!r}{hint or '; write a Slack user id, for example U01KIM'}"
    )


def time_range(
    since: str | None, until: str | None, *, now: datetime, names: tuple[str, str] = ("since", "until")
) -> tuple[datetime | None, datetime | None]:
    """Both moments. Raises `ValueError`, which begins with one of `names`."""
    start, end = (_moment(text, name, now) for text, name in zip((since, until), names, strict=True))
    if start is not None and end is not None and end <= start:
        raise ValueError(
            f"{names[1]}: {until} is not after {names[0]} {since}: it ends before it begins."
            f" For example {names[0]} 2h, {names[1]} 1h"
        )
    return start, end


def _moment(text: str | None, name: str, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_time_arg(text, now=now)
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


def _normalized(name: str) -> str:
    return " ".join(normalize("NFKC", name).strip().removeprefix("@").casefold().split())


def _formatted(people: Sequence[AuditActor]) -> str:
    shown = ", ".join(
        person.user if person.name == person.user else f"{person.user} ({person.name})"
        for person in people[:MAX_NAMED]
    )
    return f"{shown} and {len(people) - MAX_NAMED} more" if len(people) > MAX_NAMED else shown
