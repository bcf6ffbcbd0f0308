"""The verdict of a waiting gate: what blocks it, then green in one line."""

from collections.abc import Iterator
from typing import Final

from app.flow.approval.rule_status import RuleStatus
from app.flow.read_models import GateView
from app.gate.rules.checks import Check, CheckState
from app.gate.rules.violations import ApprovalsRequired, Blocker, CheckNotPassed
from app.i18n.catalog import Texts
from app.slack.cards.checks import check_text
from app.slack.cards.health import health_line
from app.slack.text.undo_options import undo_warnings
from app.slack.text.violations import mentions, rule_text

MAX_BLOCKERS: Final = 4
STOP: Final = ":no_entry:"
RUNNING: Final = ":hourglass_flowing_sand:"
WARNING: Final = ":warning:"


def waiting_lines(
    view: GateView, *, configured: bool, rule_status: RuleStatus | None, texts: Texts
) -> list[str]:
    """The worst fact first."""
    if not view.switch.verified:
        return [texts("card.unverified")]
    if not configured:
        return [texts("card.unconfigured")]
    blocking = [*_out_of_reach(rule_status, texts), *_blockers(view, rule_status, texts)]
    if len(blocking) > MAX_BLOCKERS:
        more = texts.plural("rule.more", count=len(blocking) - MAX_BLOCKERS)
        blocking = [*blocking[:MAX_BLOCKERS], more]
    return [
        *blocking,
        *_failed_checks(view, rule_status, texts),
        health_line(view, texts),
        *undo_warnings(view, texts),
    ]


def _out_of_reach(rule_status: RuleStatus | None, texts: Texts) -> Iterator[str]:
    """Approvals that nobody is left to give."""
    if rule_status is None or not rule_status.unreachable_approvals:
        return
    yield f"{STOP} {texts('card.out_of_reach.title')}"
    for rule in rule_status.unreachable_approvals:
        if isinstance(rule, ApprovalsRequired):
            yield texts.plural("card.out_of_reach.owed", count=rule.missing, who=mentions(rule.people))
        else:
            yield texts("card.out_of_reach.two")


def _blockers(view: GateView, rule_status: RuleStatus | None, texts: Texts) -> Iterator[str]:
    """Failed checks first: what is broken matters more than what is late."""
    unmet = rule_status.unmet if rule_status else ()
    blockers = [rule for rule in unmet if isinstance(rule, Blocker)]
    for rule in sorted(blockers, key=_is_pending):
        check = _check_of(rule, view)
        said = check_text(check, texts) if check else rule_text(rule, texts=texts)
        yield said if said.startswith(":") else f"{RUNNING if _is_pending(rule) else STOP} {said}"


def _is_pending(rule: Blocker) -> bool:
    return isinstance(rule, CheckNotPassed) and rule.state is not CheckState.FAILED


def _check_of(rule: Blocker, view: GateView) -> Check | None:
    """The reported check that blocks: it says more than the rule."""
    if not isinstance(rule, CheckNotPassed):
        return None
    return next((check for check in view.checks if check.name == rule.name), None)


def _failed_checks(view: GateView, rule_status: RuleStatus | None, texts: Texts) -> list[str]:
    """Those that no rule requires."""
    unmet = rule_status.unmet if rule_status else ()
    said = {rule.name for rule in unmet if isinstance(rule, CheckNotPassed)}
    failed = [check for check in view.checks if check.state is CheckState.FAILED and check.name not in said]
    lines = [f"{WARNING} {check_text(check, texts)}" for check in failed[:MAX_BLOCKERS]]
    left = len(failed) - MAX_BLOCKERS
    return [*lines, texts.plural("rule.more", count=left)] if left > 0 else lines
