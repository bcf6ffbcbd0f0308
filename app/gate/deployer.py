"""Who deployed, as far as the deployment itself tells."""

import re
from collections.abc import Mapping
from typing import Final

from app.gate.ids import UserId

_BY_KEY: Final = re.compile(
    r"\b(?:github-actor|actor|deployed-by)\s*[:=]\s*@?(?P<login>[A-Za-z0-9][A-Za-z0-9._+@-]*)", re.IGNORECASE
)
_BY_AT: Final = re.compile(r"\bby\s+@(?P<login>[A-Za-z0-9][A-Za-z0-9._-]*)", re.IGNORECASE)


def named_deployer(description: str) -> str | None:
    """The login that a description names: `github-actor=LOGIN`, `actor: LOGIN` or `by @LOGIN`."""
    found = _BY_KEY.search(description) or _BY_AT.search(description)
    return found["login"].rstrip(".,") if found else None


def slack_person(login: str | None, *, people: Mapping[str, str]) -> UserId | None:
    """The Slack account of a login, by the configuration's `[people]`; case does not matter."""
    if login is None:
        return None
    by_folded = {name.casefold(): user for name, user in people.items()}
    user = by_folded.get(login.casefold())
    return UserId(user) if user else None
