"""Doctor: whether the approvers exist in Slack, and whether there are enough of them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from app.cli.doctor.findings import Finding, failure, ok
from app.cli.doctor.slack_answers import ASK_SECONDS, refused
from app.config.loader import Domain
from app.gate.ids import UserId
from app.gate.people import AccountStatus
from app.gate.rules.policy import Policy, Roster, UnknownDeployer
from app.slack.client import SLACK_CALL_ERRORS, error_code_of
from app.slack.users.accounts import account_status_of
from app.slack.users.members import NO_SUCH_ENTRY

STATUS_SAID: Final[Mapping[AccountStatus, str]] = {
    AccountStatus.DEACTIVATED: "the account is deactivated",
    AccountStatus.GUEST: "the account is a guest's, and guests do not decide",
    AccountStatus.BOT: "the account is a bot's, and bots do not decide",
    AccountStatus.STRANGER: "the account is another workspace's",
}


class Approvers:
    """Reads each group and user once."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._groups: dict[str, frozenset[UserId]] = {}
        self._gone: set[UserId] = set()
        self._unread: set[str] = set()

    async def look(
        self, *, groups: Sequence[str], domains: Sequence[Domain], admins: Sequence[str]
    ) -> list[Finding]:
        """A finding for each named group and user, and for each domain that has too few approvers."""
        found = [await self._group(group) for group in groups]
        named = {entry for domain in domains for entry in domain.policy.voters} | set(admins)
        users = sorted(entry for entry in named if not entry.startswith("S"))
        found += [finding for user in users if (finding := await self._user(user)) is not None]
        return [*found, *self._short(domains)]

    async def _group(self, group: str) -> Finding:
        what = f"user group {group}"
        try:
            answer = await asyncio.wait_for(self._client.usergroups_users_list(usergroup=group), ASK_SECONDS)
        except SLACK_CALL_ERRORS as exc:
            if error_code_of(exc) not in NO_SUCH_ENTRY:
                self._unread.add(group)
            remedy = (
                "Correct the id in switchgate.toml, or enable the group: none of its members can approve."
            )
            return refused(what, "usergroups.users.list", exc, remedy=remedy, client=self._client)
        members = answer.get("users") or []
        self._groups[group] = frozenset(UserId(str(member)) for member in members)
        if not members:
            return failure(what, "nobody is in it", "Add people to it, or name other approvers.")
        return ok(what, f"{len(members)} people")

    async def _user(self, user: str) -> Finding | None:
        """None: no problem."""
        what = f"user {user}"
        try:
            answer: Any = await asyncio.wait_for(self._client.users_info(user=user), ASK_SECONDS)
        except SLACK_CALL_ERRORS as exc:
            if error_code_of(exc) in NO_SUCH_ENTRY:
                self._gone.add(UserId(user))
            else:
                self._unread.add(user)
            remedy = "Correct the id in switchgate.toml: it is the member ID in the person's profile."
            return refused(what, "users.info", exc, remedy=remedy, client=self._client)
        status = account_status_of(answer.get("user") or {})
        if status is AccountStatus.MEMBER:
            return None
        self._gone.add(UserId(user))
        return failure(what, STATUS_SAID[status], "Name somebody else in switchgate.toml.")

    def _short(self, domains: Iterable[Domain]) -> list[Finding]:
        roster = Roster(groups=self._groups, deactivated=frozenset(self._gone))
        found = []
        for domain in domains:
            short = _shortage(domain.policy, roster, unread=self._unread)
            if short:
                remedy = "Until there are more approvers, only an admin can approve it, by break glass."
                found.append(failure(f"approvers of {domain.name}", short, remedy))
        return found


def _shortage(policy: Policy, roster: Roster, *, unread: set[str]) -> str:
    """The rules for which there are too few people; empty: none, or not known."""
    laid = [
        replace(policy, variants=()),
        *(replace(policy, variants=(), **variant.changes.given()) for variant in policy.variants),
    ]
    for rules in laid:
        for source in rules.sources:
            able = len(roster.eligible(source.people))
            if able < source.approvals and not unread & set(source.people):
                return f"{source.approvals} approvals are asked of {', '.join(source.people)}, and {able} can give one"
    two = policy.unknown_deployer is UnknownDeployer.ASK_TWO and not policy.own_deployment
    if two and len(roster.eligible(policy.voters)) < 2 and not unread & set(policy.voters):
        return "two people are asked where the deployer is unknown, and fewer can decide"
    return ""
