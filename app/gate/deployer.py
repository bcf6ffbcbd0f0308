"""Who deployed, as far as the deployment itself tells."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from app.gate.ids import UserId

_BY_KEY: Final = re.compile(
    r"\b(?:github-actor|actor|deployed-by)\s*[:=]\s*@?(?P<login>[A-Za-z0-9][A-Za-z0-9._+@-]*)", re.IGNORECASE
)
_BY_AT: Final = re.compile(r"\bby\s+@(?P<login>[A-Za-z0-9][A-Za-z0-9._-]*)", re.IGNORECASE)

NOBODY: Final = frozenset(
    {
        "user",
        "autoscaling",
        "codedeploy",
        "codedeployautoupdate",
        "codedeploy_auto_update",
        "codedeployrollback",
        "cloudformation",
        "cloudformationrollback",
    }
)
"""CodeDeploy's `creator` says through what a deployment was made, seldom who made it."""


def named_deployer(description: str) -> str | None:
    """The login that a description names: `github-actor=LOGIN`, `actor: LOGIN` or `by @LOGIN`."""
    found = _BY_KEY.search(description) or _BY_AT.search(description)
    return found["login"].rstrip(".,") if found else None


def named_deployers(*, description: str, creator: str, tag: str | None = None) -> tuple[str, ...]:
    """Every name that a deployment gives for its deployer, the surest first.

    `tag`: the task definition's `github-actor`. A creator that is an ARN names its last part too.
    """
    names = [tag, named_deployer(description)]
    if creator and creator.casefold() not in NOBODY:
        names += [creator, creator.rpartition("/")[2]]
    return tuple(dict.fromkeys(name for name in names if name))


def slack_person(login: str | None, *, people: Mapping[str, str]) -> UserId | None:
    """The Slack account of a login, by the configuration's `[people]`; case does not matter."""
    if login is None:
        return None
    by_folded = {name.casefold(): user for name, user in people.items()}
    user = by_folded.get(login.casefold())
    return UserId(user) if user else None


def e_mail_among(names: Iterable[str]) -> str | None:
    """The first name that is an e-mail address, by which Slack may know the person."""
    return next((name for name in names if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", name)), None)
