"""The text for votes and denials. Every denial has a text; a missing one is a type error."""

from typing import Final

from app.flow.approval.approval_context import NoSuchGate, Unconfigured
from app.flow.approval.cast_vote import VoteAccepted
from app.flow.approval.request_denied import RequestDenied
from app.flow.read_models import GateView
from app.flow.switch_progress import (
    is_let_through_elsewhere,
    is_withdrawn_by_somebody,
    is_withdrawn_for_build,
)
from app.gate.deadline import HOOK_TIMEOUT
from app.gate.decision import Verdict
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import (
    AlreadyApproved,
    AlreadyHandled,
    AlreadyRejected,
    AnotherDomain,
    ApprovalBlocked,
    Denial,
    IsARollback,
    NotAMember,
    NotAnAdmin,
    NotAnApprover,
    NothingToBreak,
    NotTheDeployer,
    OwnDeployment,
    QuestionsUnanswered,
    ReasonMissing,
    RulesChanged,
)
from app.gate.rules.permits import Basis
from app.gate.rules.violations import ApprovalsRequired, NotNamed, OwnSwitch
from app.gate.state_machine import AlreadyDecided, Awaiting, CardIsOld, Decided, NotVerified, NoVote, TooLate
from app.gate.undo import (
    NoPreviousRevision,
    NothingToFinish,
    NothingToUndo,
    NotWhatWasAsked,
    RollingBack,
    Superseded,
    UnderWay,
)
from app.gate.votes import Choice
from app.i18n.catalog import Texts
from app.slack.blocks import mention, when
from app.slack.text.escape import inline
from app.slack.text.switch import creator
from app.slack.text.undo_options import no_undo_text
from app.slack.text.violations import rule_lines
from app.slack.users.accounts import is_member

_DENIAL_KEYS: Final[dict[type[Denial], str]] = {
    AlreadyHandled: "refused.already_handled",
    NoSuchGate: "refused.no_such_gate",
    Unconfigured: "refused.unconfigured",
    NotAnApprover: "refused.not_an_approver",
    NotTheDeployer: "refused.not_the_deployer",
    AnotherDomain: "refused.another_domain",
    IsARollback: "refused.is_a_rollback",
    OwnDeployment: "refused.own_deployment",
    AlreadyApproved: "refused.already_approved",
    ReasonMissing: "refused.reason_missing",
    QuestionsUnanswered: "refused.questions_unanswered",
    NotVerified: "refused.not_verified",
    TooLate: "refused.too_late",
    CardIsOld: "refused.card_is_old",
    NothingToUndo: "refused.nothing_to_undo",
    UnderWay: "refused.under_way",
    Superseded: "refused.superseded",
    RollingBack: "refused.rolling_back",
    NotWhatWasAsked: "refused.not_what_was_asked",
    NothingToFinish: "refused.nothing_to_finish",
    AlreadyRejected: "refused.already_rejected",
    ApprovalBlocked: "refused.approval_blocked",
    NotAnAdmin: "refused.not_an_admin",
    NothingToBreak: "refused.nothing_to_break",
    RulesChanged: "refused.rules_changed",
    NoVote: "refused.no_vote",
}
LASTING_DENIALS: Final = (NotAMember, NotAnApprover, NotAnAdmin, NotTheDeployer, OwnDeployment)
"""Denials that a retry does not change."""

LASTING_REPEAT_SECONDS: Final = 60
UNKNOWN_REPEAT_SECONDS: Final = 5
"""Short: a person whose account Slack did not return is asked to try again in a moment."""

DENIALS_WITH_RULES: Final = (ApprovalBlocked, OwnDeployment, AlreadyApproved)
"""Denials shown together with the unmet rules."""


def vote_accepted_text(counted: VoteAccepted, *, choice: Choice, texts: Texts, on_card: bool) -> str:
    """The reply to an accepted vote; empty where the card shows the decision."""
    domain = counted.view.switch.domain or texts("card.unknown_domain")
    if counted.decision is None and choice is Choice.REJECT:
        return texts.plural("press.against", count=counted.rejections_missing, domain=domain)
    if counted.decision is None:
        return f"{texts('press.counted_of', domain=domain)}\n{rule_lines(counted.unmet, texts=texts)}"
    return "" if on_card else texts("press.decided", domain=domain)


def denial_text(denied: RequestDenied, *, texts: Texts, approvers: tuple[str, ...]) -> str:
    """Why the request was denied, and what to do."""
    denial, view = denied.denial, denied.view
    if isinstance(denial, AlreadyDecided):
        return decided_by_text(view, texts=texts) if view else texts("refused.no_such_gate")
    if isinstance(denial, NotAMember):
        unknown = denial.account_status is AccountStatus.UNKNOWN
        return texts("refused.unknown_person" if unknown else "refused.not_a_member")
    if isinstance(denial, NoPreviousRevision):
        domain = view.switch.domain if view else None
        why = no_undo_text(view, denial.obstacle, texts) if view else ""
        return texts("refused.no_previous_revision", domain=domain or texts("card.unknown_domain"), why=why)
    unsure = isinstance(denial, OwnDeployment) and view and len(view.switch.named_deployers) > 1
    said = texts(
        "refused.named_deployer" if unsure else _DENIAL_KEYS[type(denial)],
        domain=(view.switch.domain if view else None) or texts("card.unknown_domain"),
        who=_who_may(denied, approvers) or "—",
        deadline=when(view.deadline_at) if view else "—",
        first=mention(denial.by) if isinstance(denial, UnderWay) else "—",
    )
    # A blocked approval was not saved, so missing approvals are not counted.
    unmet = denial.blockers if isinstance(denial, ApprovalBlocked) else denied.unmet
    said_already = (
        ApprovalsRequired(people=approvers, missing=1) if isinstance(denial, OwnDeployment) else None
    )
    left = [rule for rule in unmet if not isinstance(rule, NotNamed | OwnSwitch) and rule != said_already]
    explained = isinstance(denial, DENIALS_WITH_RULES) and left
    return f"{said}\n{rule_lines(left, texts=texts)}" if explained else said


def _who_may(denied: RequestDenied, approvers: tuple[str, ...]) -> str:
    """Who may do what was denied: the deployer, or the approvers."""
    if isinstance(denied.denial, NotTheDeployer) and denied.view is not None:
        return creator(denied.view)
    return ", ".join(mention(entry) for entry in approvers)


def repeat_after(denial: Denial | None, person: Person) -> float:
    """For how many seconds a person who retries is not sent the same reply again."""
    if person.account_status is AccountStatus.UNKNOWN:
        return UNKNOWN_REPEAT_SECONDS
    is_lasting = isinstance(denial, LASTING_DENIALS) or not is_member(person)
    return LASTING_REPEAT_SECONDS if is_lasting else 0


def decided_by_text(view: GateView, *, texts: Texts) -> str:
    """Who decided and when, for later votes."""
    if isinstance(view.gate, Awaiting):
        return texts("refused.card_is_old")
    by_nobody = {
        Basis.AUTO_ROLLBACK: "rescued",
        Basis.CHECKS: "approved_itself",
        Basis.OBSERVE: "observed",
    }
    how = by_nobody.get(view.basis, view.gate.verdict) if view.basis else view.gate.verdict
    if is_withdrawn_by_somebody(view):
        how = "withdrawn_for_build" if is_withdrawn_for_build(view) else "withdrawn_by"
    elif is_let_through_elsewhere(view) and view.gate.verdict is not Verdict.REJECTED:
        how = "answered_elsewhere"  # decided by no person, and traffic leaves blue
    said = texts(
        f"first.{how}",
        domain=view.switch.domain or texts("card.unknown_domain"),
        who=mention(view.decided_by) if view.decided_by else inline(view.decided_name or ""),
        at=when(view.decided_at or view.opened_at),
    )
    return f"{said}\n{_unreported_text(view, texts)}" if isinstance(view.gate, Decided) else said


def _unreported_text(view: GateView, texts: Texts) -> str:
    """The decision was saved, and CodeDeploy has not confirmed it."""
    if view.report_error is None:
        return texts("first.reporting")
    started = view.switch.hook_started_at or view.opened_at
    return texts(
        "first.not_reached",
        since=when(view.decided_at or view.opened_at),
        why=inline(view.report_error),
        until=when(started + HOOK_TIMEOUT),
    )
