"""Who deployed, according to the deployment itself, and how certain that is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.gate.described_deployers import described_deployers
from app.gate.ids import UserId

_MENTION: Final = re.compile(r"<@(?P<id>[UW][A-Z0-9]+)>")

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

MAX_ADDRESSES: Final = 20
"""E-mail addresses of one deployment that are looked up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployerClaims:
    """Every name that a deployment gives for its deployer, by source.

    `tag`: the task definition's `github-actor`; None: not read, or absent. Whoever starts a deployment can write any
    description, so it names people and proves nothing. `possible`: words of the description that name somebody only if
    they are the name of an account. `shown`: the most certain name, for display.
    """

    tag: str | None
    described: tuple[str, ...]
    creators: tuple[str, ...]
    possible: tuple[str, ...] = ()
    shown: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, each once, the most certain first."""
        names = [self.tag, *self.described, *self.creators, *self.possible]
        return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployer:
    """`known`: the person whom the tag names and nothing contradicts. `named`: everybody whom any source names."""

    known: UserId | None
    named: frozenset[UserId]


def named_deployer(description: str) -> str | None:
    """The login that a description names first; logins that clearly name a person come before others."""
    return described_deployers(description).shown


def deployer_claims(*, description: str, creator: str, tag: str | None = None) -> DeployerClaims:
    """The names in a deployment's tag, description and creator. A creator that is an ARN names its last part, too."""
    personal = creator.strip() if creator.strip().casefold() not in NOBODY else ""
    creators = dict.fromkeys(name for name in (personal, personal.rpartition("/")[2]) if name)
    tagged = (tag or "").strip().removeprefix("@") or None
    described = described_deployers(description)
    return DeployerClaims(
        tag=tagged,
        described=described.stated,
        creators=tuple(creators),
        possible=described.possible,
        shown=next((name for name in (tagged, *described.stated, *creators, described.shown) if name), None),
    )


def resolve_deployer(claims: DeployerClaims, *, accounts: Mapping[str, UserId]) -> Deployer:
    """`accounts`: the Slack account of each claimed name that has one.

    A name without an account contradicts the tag unless it is the same name; a creator without one is a role or a
    service, a bare word without one may be anything, and both say nothing.
    """
    named = frozenset(accounts[name] for name in claims.names if name in accounts)
    tagged = accounts.get(claims.tag) if claims.tag else None
    same_name = (claims.tag or "").casefold()
    agreed = all(
        accounts.get(name) == tagged if name in accounts else name.casefold() == same_name
        for name in claims.described
    )
    return Deployer(known=tagged if tagged and agreed and named == {tagged} else None, named=named)


def slack_person(login: str | None, *, people: Mapping[str, str]) -> UserId | None:
    """The Slack account of a login, by the configuration's `[people]`; case does not matter. A mention is one."""
    if login is None:
        return None
    if mention := _MENTION.fullmatch(login):
        return UserId(mention["id"])
    by_folded = {name.casefold(): user for name, user in people.items()}
    user = by_folded.get(login.casefold())
    return UserId(user) if user else None


def e_mails_among(names: Iterable[str]) -> tuple[str, ...]:
    """The names that are e-mail addresses, which Slack may be able to look up."""
    found = [name for name in names if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", name)]
    return tuple(found[:MAX_ADDRESSES])
