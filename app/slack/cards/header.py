"""Line 1 of a card: domain, versions, state and share of traffic; and the message's text, which repeats it."""

from typing import Final

from app.flow.approval.rule_status import RuleStatus
from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import GateView
from app.flow.switch_progress import is_approved
from app.flow.traffic_share import share_on_green
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting
from app.gate.votes import Choice
from app.i18n.catalog import Texts
from app.slack.blocks import clock
from app.slack.cards.context import approvals_required
from app.slack.cards.state import CardState
from app.slack.cards.votes import counting_votes
from app.slack.text.escape import escaped
from app.slack.text.versions import switch_names

APPROVED_ON: Final = {
    Basis.CHECKS: "approved_by_checks",
    Basis.OBSERVE: "approved_by_observing",
    Basis.BREAK_GLASS: "approved_by_break_glass",
}


def header_text(
    view: GateView,
    state: CardState,
    *,
    domain: OwnedDomain | None,
    rule_status: RuleStatus | None,
    texts: Texts,
) -> str:
    """Plain text."""
    header = texts(
        f"card.header.{_key(view, state)}",
        **switch_names(view, texts).fields,
        percent=share_on_green(view).percent or 0,
        have=len(counting_votes(view, Choice.APPROVE, rule_status)),
        need=approvals_required(domain.policy, rule_status) if domain else 0,
    )
    return texts("card.header.observed", header=header) if _is_observed(view, domain) else header


def _is_observed(view: GateView, domain: OwnedDomain | None) -> bool:
    if isinstance(view.gate, Awaiting):
        return view.observed and domain is not None and domain.policy.observe
    return view.basis is Basis.OBSERVE


def notification_text(view: GateView, header: str, texts: Texts) -> str:
    """What a notification or a screen reader says."""
    sentence = escaped(header if header.endswith((".", "?")) else f"{header}.")
    if not isinstance(view.gate, Awaiting):
        return sentence
    return texts("card.notification", header=sentence, deadline=clock(view.deadline_at))


def _key(view: GateView, state: CardState) -> str:
    percent, key = share_on_green(view).percent, str(state)
    match state:
        case CardState.APPROVED if view.basis:
            key = APPROVED_ON.get(view.basis, state)
        case CardState.WAITING if percent:
            key = "waiting_on_green"
        case CardState.FAILED | CardState.ROLLBACK_FAILED | CardState.SHIFTING if percent is None:
            key = f"{state}_unknown"
        case CardState.FAILED if percent:
            key = "failed_on_green"
        case CardState.ELSEWHERE if not percent:
            key = "elsewhere_on_blue"
        case CardState.CONTRADICTED if not is_approved(view):
            key = "contradicted_on_green" if percent else "contradicted_rejection"
        case _:
            pass
    return key
