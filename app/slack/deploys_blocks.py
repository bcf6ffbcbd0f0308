"""A switch as `/deploys` lists it."""

from datetime import datetime, timedelta
from typing import Protocol

from app.flow.question import outlook_of
from app.flow.rules_port import Rules
from app.flow.views import CardPlace, GateView
from app.gate.policy import Basis
from app.gate.states import Awaiting
from app.i18n.catalog import Texts
from app.slack.blocks import Block, mention, section, when
from app.slack.card import decision_buttons, deployment_link, domain_name
from app.slack.outside import inline
from app.slack.rule_words import rule_lines


class PendingGate(Protocol):
    """A waiting gate, and where its card stands if it has one yet."""

    @property
    def view(self) -> GateView: ...

    @property
    def place(self) -> CardPlace | None: ...


def pending_blocks(
    view: GateView,
    *,
    place: CardPlace | None,
    rules: Rules,
    texts: Texts,
    now: datetime,
    base: str | None,
) -> list[Block]:
    """One waiting gate: what, since when, how long still, who may, and the buttons to decide it here."""
    domain = rules.domain(view.switch.domain) if view.switch.domain else None
    outlook = outlook_of(view, rules=rules, now=now)
    name = domain_name(view, texts)
    text = texts(
        "deploys.pending",
        domain=name,
        deployment=deployment_link(view),
        what=inline(view.switch.description or "", longest=120),
        since=when(view.opened_at),
        left=texts.duration(max(view.deadline_at - now, timedelta(0))),
        who=", ".join(mention(entry) for entry in domain.policy.voters)
        if domain
        else texts("card.nobody_yet"),
        card=card_link(place, base, texts),
    )
    if outlook is not None and outlook.is_held:
        text = f"{text}\n{rule_lines(outlook.unmet, texts=texts, most=3)}"
    blocks = [section(text)]
    if isinstance(view.gate, Awaiting) and view.gate.verified and domain is not None:
        blocks.append(decision_buttons(view, texts=texts, block_id=f"decide.{view.id}", outlook=outlook))
    else:
        blocks.append(section(texts("card.unverified" if not view.switch.verified else "card.unconfigured")))
    return blocks


def decided_line(view: GateView, *, texts: Texts) -> str:
    """One ended gate in one line."""
    if isinstance(view.gate, Awaiting):
        raise TypeError("a waiting gate has no ending to tell")
    ending = "rescued" if view.basis is Basis.RESCUE else view.gate.verdict.value
    return texts(
        f"deploys.line.{ending}",
        at=when(view.decided_at or view.opened_at),
        deployment=deployment_link(view),
        who=mention(view.decided_by) if view.decided_by else inline(view.decided_name or "Switchgate"),
        reason=inline(view.reason or "", longest=120),
    )


def card_link(place: CardPlace | None, base: str | None, texts: Texts) -> str:
    """Where the card stands, or that there is none yet."""
    if place is None or base is None:
        return texts("deploys.no_card_yet")
    url = f"{base.rstrip('/')}/archives/{place.channel}/p{place.ts.replace('.', '')}"
    return f"<{url}|{texts('deploys.card')}>"
