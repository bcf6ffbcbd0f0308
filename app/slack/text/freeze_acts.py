"""The text of what was done to freezes, for a channel."""

from datetime import datetime

from app.flow.freezes.freeze_acts import ActKind, FreezeAct
from app.flow.notify.announce_in_channel import DueChannelAnnouncement, WaitingGate
from app.flow.ports.rules import Rules
from app.gate.rules.freeze import Span
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.cards.list_item import card_link
from app.slack.text.escape import inline
from app.slack.text.freezes import domains_text
from app.slack.text.switch import domain_name
from app.slack.text.truncation import named_list
from app.slack.text.violations import author_text, mentions


def act_text(
    due: DueChannelAnnouncement, *, texts: Texts, rules: Rules, base: str | None, now: datetime
) -> str:
    """The act, and the gates that can be approved now, each with its approvers. `base`: the workspace's URL."""
    free = [gate for gate in due.waiting if _is_free(gate, due.channel, rules=rules, now=now)]
    lines = [
        texts(
            "freeze.said.waiting",
            domain=domain_name(gate.view, texts),
            deployment=inline(gate.view.switch.key.deployment),
            card=card_link(gate.place, base, texts),
            who=_approvers(gate, rules),
        )
        for gate in free
    ]
    return "\n".join([_said(due.act, now=due.written_at, texts=texts), *lines])


def _said(act: FreezeAct, *, now: datetime, texts: Texts) -> str:
    spans = [freeze.when for freeze in act.freezes if isinstance(freeze.when, Span)]
    start, end = spans[0].start, max(span.end for span in spans)
    planned = act.kind is ActKind.DECLARED and start > now
    return texts(
        f"freeze.said.{'planned' if planned else act.kind.removeprefix('freeze_')}",
        domains=domains_text(act.domains, texts),
        who=author_text(act.by, texts=texts),
        start=when(start),
        end=when(end),
        reason=named_list([inline(freeze.reason) for freeze in act.freezes], texts=texts),
    )


def _is_free(gate: WaitingGate, channel: str, *, rules: Rules, now: datetime) -> bool:
    """Whether its card is in this channel and no other freeze holds it."""
    domain = rules.domain(gate.view.switch.domain) if gate.view.switch.domain else None
    if domain is None or domain.channel != channel:
        return False
    freezes = (*gate.view.freezes, *rules.freezes(domain.name))
    return all(freeze.around(now) is None for freeze in freezes)


def _approvers(gate: WaitingGate, rules: Rules) -> str:
    domain = rules.domain(gate.view.switch.domain) if gate.view.switch.domain else None
    return mentions(domain.policy.voters) if domain else "—"
