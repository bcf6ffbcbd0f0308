"""A switch as `/deploys` lists it."""

from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.approval.preview_approval import preview_approval
from app.flow.approval.rule_status import rule_status_of
from app.flow.ports.rules import Rules
from app.flow.read_models import CardPlace, GateView
from app.flow.switch_progress import (
    is_being_undone,
    is_let_through,
    is_let_through_elsewhere,
    is_undone,
    is_withdrawn_by_somebody,
    is_withdrawn_for_build,
    progress_of,
)
from app.flow.traffic_share import TrafficShare, share_on_green
from app.gate.decision import Verdict
from app.gate.people import Person
from app.gate.rules.denials import AlreadyApproved
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting, Decided, Outcome
from app.gate.undo import Progress
from app.i18n.catalog import Texts
from app.slack.blocks import Block, mention, section, when
from app.slack.cards.actions import waiting_actions
from app.slack.cards.health import health_line
from app.slack.text.escape import escaped, inline
from app.slack.text.switch import deployment_link, ending_text
from app.slack.text.versions import switch_names
from app.slack.text.violations import rule_lines

LINE_KEYS: Final = {
    Basis.AUTO_ROLLBACK: "rescued",
    Basis.CHECKS: "approved_itself",
    Basis.OBSERVE: "observed",
    Basis.BREAK_GLASS: "glass_broken",
    Basis.UNDO: "undo",
}
"""Text keys of approvals on another basis than votes."""


class PendingGate(Protocol):
    """A waiting gate, and the place of its card if it was posted."""

    @property
    def view(self) -> GateView: ...

    @property
    def place(self) -> CardPlace | None: ...


def pending_blocks(
    view: GateView,
    *,
    place: CardPlace | None,
    person: Person,
    rules: Rules,
    texts: Texts,
    now: datetime,
    base: str | None,
) -> list[Block]:
    """One waiting gate for one person: versions, time left, approvers, green's health, what blocks it, the buttons."""
    domain = rules.domain(view.switch.domain) if view.switch.domain else None
    rule_status = rule_status_of(view, rules=rules, now=now)
    denial = preview_approval(view, person=person, rules=rules, now=now).denial
    approved = isinstance(denial, AlreadyApproved)
    waits = texts(
        "deploys.pending",
        domain=escaped(switch_names(view, texts).switch),
        deployment=deployment_link(view),
        what=inline(view.switch.description or "", max_chars=120),
        since=when(view.opened_at),
        left=texts.duration(max(view.deadline_at - now, timedelta(0))),
        who=", ".join(mention(entry) for entry in domain.policy.voters)
        if domain
        else texts("card.nobody_yet"),
        card=card_link(place, base, texts),
    )
    held = rule_status is not None and rule_status.is_held
    lines = [
        waits,
        health_line(view, texts),
        rule_lines(rule_status.unmet, texts=texts, max_items=3) if rule_status and held else "",
        texts("press.counted") if approved else "",
    ]
    blocks = [section("\n".join(line for line in lines if line))]
    if isinstance(view.gate, Awaiting) and view.gate.verified and domain is not None:
        blocks.append(
            waiting_actions(
                view,
                block_id=f"decide.{view.id}",
                rule_status=rule_status,
                texts=texts,
                approved=approved,
            )
        )
    else:
        blocks.append(section(texts("card.unverified" if not view.switch.verified else "card.unconfigured")))
    return blocks


def decided_line(view: GateView, *, texts: Texts) -> str:
    """One decided gate in one line."""
    said = texts(
        f"deploys.line.{_ending(view)}",
        at=when(view.decided_at or view.opened_at),
        deployment=deployment_link(view),
        who=mention(view.decided_by) if view.decided_by else inline(view.decided_name or "Switchgate"),
        reason=inline(view.reason or "", max_chars=120),
    )
    since = _since(view, texts)
    return f"{said} · {since}" if since else said


def _ending(view: GateView) -> str:
    if isinstance(view.gate, Awaiting):
        raise TypeError("a waiting gate has no ending to tell")
    if is_withdrawn_for_build(view):
        return "withdrawn_for_build"
    if is_withdrawn_by_somebody(view):
        return "withdrawn_by"
    if view.gate.verdict is Verdict.WITHDRAWN and is_let_through_elsewhere(view):
        return "answered_elsewhere"
    return LINE_KEYS.get(view.basis, view.gate.verdict.value) if view.basis else view.gate.verdict.value


def _since(view: GateView, texts: Texts) -> str:
    """What happened after the decision, if it matters; else empty."""
    if view.outcome in {Outcome.CONFLICT, Outcome.UNDELIVERABLE}:
        return texts(f"deploys.since.{view.outcome}")
    if isinstance(view.gate, Decided):
        return texts("deploys.since.untold")
    if not is_let_through(view) or view.basis is Basis.AUTO_ROLLBACK:
        return ""
    key, share = _since_key(view), share_on_green(view)
    if not key:
        return ""
    if key == Progress.SHIFTING and share.percent is None:
        return _unknown_share(share, texts)
    return texts(f"deploys.since.{key}", percent=share.percent or 0, ending=ending_text(view.switch))


def _unknown_share(share: TrafficShare, texts: Texts) -> str:
    if share.read_at is None:
        return texts("deploys.since.never_read")
    return texts("deploys.since.unknown", at=when(share.read_at))


def _since_key(view: GateView) -> str:
    """The text key. For an undo, traffic on green is not mentioned: green runs the previous version."""
    if is_undone(view):
        return "taken_back"
    if is_being_undone(view):
        return "taking_back"
    progress = progress_of(view)
    if progress is Progress.SHIFTING:
        return "" if view.basis is Basis.UNDO else progress.value
    return progress.value if progress is Progress.ENDED else ""


def card_link(place: CardPlace | None, base: str | None, texts: Texts) -> str:
    """A link to the card, or a note that there is none yet."""
    if place is None or base is None:
        return texts("deploys.no_card_yet")
    url = f"{base.rstrip('/')}/archives/{place.channel}/p{place.ts.replace('.', '')}"
    return f"<{url}|{texts('deploys.card')}>"
