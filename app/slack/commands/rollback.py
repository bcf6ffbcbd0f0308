"""`/deploys rollback order`: opens the form of Roll back, or lists the deployments that may be meant."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.switch_progress import is_let_through
from app.gate.ids import DomainName, GateId
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, button, section
from app.slack.cards.list_item import decided_line
from app.slack.commands.lists import CommandReply, only
from app.slack.text.suggestions import named_domains, unknown_names_text
from app.slack.text.switch import domain_name
from app.slack.text.undo_options import undo_kind
from app.slack.users.accounts import Profile

MAX_CHOICES: Final = 10
DEPLOYMENT: Final = re.compile(r"d-[0-9a-z]{1,40}", re.IGNORECASE)


class RollbackQueries(Protocol):
    """The queries of the command."""

    async def last_let_through(self, *, domain: str) -> GateView | None: ...

    async def gates_of(self, *, deployment: str, limit: int) -> Sequence[GateView]: ...


class LastDecided(Protocol):
    """The latest decisions of all domains."""

    async def last_decided(self, *, limit: int) -> Sequence[GateView]: ...


class RollbackCommand:
    """Handles `/deploys rollback` and `/deploys undo`. The form checks the rights, as it does for a card's button."""

    def __init__(
        self,
        *,
        queries: RollbackQueries,
        decisions: LastDecided,
        rules: Rules,
        form: Callable[[GateId, Profile, Mapping[str, Any]], Awaitable[str]],
    ) -> None:
        """`form` opens the form, or returns the text to show instead."""
        self._queries = queries
        self._decisions = decisions
        self._rules = rules
        self._form = form

    async def answer(
        self, words: Sequence[str], *, body: Mapping[str, Any], profile: Profile, texts: Texts
    ) -> CommandReply:
        """`words`: domains and deployments; none for a list of what can be rolled back."""
        names = named_domains(words)
        unknown = [name for name in names if not self._is_known(name)]
        if unknown:
            said = unknown_names_text(unknown, rules=self._rules, texts=texts)
            return only(texts("policy.unknown", names=said), texts=texts)
        found = await self._named(names) if names else await self._latest()
        if len(found) == 1 and names:
            return only(await self._form(found[0].id, profile, body), texts=texts)
        if not found:
            none = texts("deploys.none_to_undo", name=", ".join(map(self._written, names))) if names else ""
            return only(none or texts("deploys.nothing_to_undo"), texts=texts)
        return _choices(found, texts)

    def _is_known(self, name: DomainName) -> bool:
        return self._rules.domain(name) is not None or DEPLOYMENT.fullmatch(name) is not None

    def _written(self, name: DomainName) -> str:
        """A domain as it is; a deployment's id as CodeDeploy writes it."""
        return name if self._rules.domain(name) is not None else f"d-{name[2:].upper()}"

    async def _named(self, names: Sequence[DomainName]) -> list[GateView]:
        found: list[GateView] = []
        for name in names[:MAX_CHOICES]:
            if self._rules.domain(name) is not None:
                last = await self._queries.last_let_through(domain=name)
                found += [last] if last is not None else []
            else:
                found += await self._of_deployment(self._written(name))
        return _one_of_each(found)

    async def _of_deployment(self, deployment: str) -> list[GateView]:
        """Several where accounts or regions share the id."""
        gates = await self._queries.gates_of(deployment=deployment, limit=MAX_CHOICES)
        return [view for view in gates if is_let_through(view)]

    async def _latest(self) -> list[GateView]:
        """Of each domain the last decision, if it can be rolled back."""
        latest: dict[str | None, GateView] = {}
        for view in await self._decisions.last_decided(limit=3 * MAX_CHOICES):
            latest.setdefault(view.switch.domain, view)
        return [view for view in latest.values() if is_let_through(view) and undo_kind(view) is not None]


def _one_of_each(views: Sequence[GateView]) -> list[GateView]:
    """The newest gate of each switch."""
    return list({view.switch.key: view for view in reversed(views)}.values())[::-1]


def _choices(views: Sequence[GateView], texts: Texts) -> CommandReply:
    said = texts("deploys.undo_which")
    blocks = [section(said), *(_choice(view, texts) for view in views[:MAX_CHOICES])]
    return CommandReply(text=said, blocks=blocks)


def _choice(view: GateView, texts: Texts) -> Block:
    action_value = ActionValue(gate=view.id, prompt_version=view.prompt_version)
    undo = button(texts("button.undo"), action="undo", value=str(action_value), style="danger")
    line = f"*{domain_name(view, texts)}*  {decided_line(view, texts=texts)}"
    return section(line, accessory=undo if undo_kind(view) is not None else None)
