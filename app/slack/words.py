"""What a presser is told. Every refusal has its sentence; one that has none would be a type error here."""

from typing import Final

from app.flow.decide_gate import Counted, NoSuchGate, Refused, Unconfigured
from app.flow.views import GateView
from app.gate.policy import (
    AlreadyApproved,
    NotAMember,
    NotAnApprover,
    OwnDeployment,
    ReasonMissing,
    Refusal,
    Standing,
)
from app.gate.states import AlreadyDecided, Awaiting, CardIsOld, NotVerified, TooLate
from app.gate.undo import (
    NoPreviousRevision,
    NothingToFinish,
    NothingToUndo,
    NotWhatWasAsked,
    Superseded,
    UnderWay,
)
from app.i18n.catalog import Texts
from app.slack.blocks import mention, when

_KEYS: Final[dict[type[Refusal], str]] = {
    NoSuchGate: "refused.no_such_gate",
    Unconfigured: "refused.unconfigured",
    NotAnApprover: "refused.not_an_approver",
    OwnDeployment: "refused.own_deployment",
    AlreadyApproved: "refused.already_approved",
    ReasonMissing: "refused.reason_missing",
    NotVerified: "refused.not_verified",
    TooLate: "refused.too_late",
    CardIsOld: "refused.card_is_old",
    NothingToUndo: "refused.nothing_to_undo",
    UnderWay: "refused.under_way",
    Superseded: "refused.superseded",
    NoPreviousRevision: "refused.no_previous_revision",
    NotWhatWasAsked: "refused.not_what_was_asked",
    NothingToFinish: "refused.nothing_to_finish",
}


def thanks(counted: Counted, *, texts: Texts, on_card: bool) -> str:
    """What an approver hears. On the card itself a decision shows, and needs no words."""
    if counted.decision is None:
        return texts.plural("press.counted", count=counted.owed)
    domain = counted.view.switch.domain or texts("card.unknown_domain")
    return "" if on_card else texts("press.decided", domain=domain)


def why_not(refused: Refused, *, texts: Texts, approvers: tuple[str, ...]) -> str:
    """A kind sentence: what happened to the press, and what to do."""
    refusal, view = refused.refusal, refused.view
    if isinstance(refusal, AlreadyDecided):
        return who_was_first(view, texts=texts) if view else texts("refused.no_such_gate")
    if isinstance(refusal, NotAMember):
        unknown = refusal.standing is Standing.UNKNOWN
        return texts("refused.unknown_person" if unknown else "refused.not_a_member")
    return texts(
        _KEYS[type(refusal)],
        domain=(view.switch.domain if view else None) or texts("card.unknown_domain"),
        who=", ".join(mention(entry) for entry in approvers) or "—",
        deadline=when(view.deadline_at) if view else "—",
        first=mention(refusal.by) if isinstance(refusal, UnderWay) else "—",
    )


def who_was_first(view: GateView, *, texts: Texts) -> str:
    """Who decided, when; for everybody who pressed after."""
    if isinstance(view.gate, Awaiting):
        return texts("refused.card_is_old")
    return texts(
        f"first.{view.gate.verdict}"
        if view.decided_by or view.gate.verdict != "approved"
        else "first.rescued",
        domain=view.switch.domain or texts("card.unknown_domain"),
        who=mention(view.decided_by or ""),
        at=when(view.decided_at or view.opened_at),
    )
