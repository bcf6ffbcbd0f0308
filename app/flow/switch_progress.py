"""How far a switch has come, and therefore how it can be undone: derived from stored facts."""

from datetime import datetime
from typing import Final

from app.flow.read_models import GateView
from app.flow.undo.intervention import InterventionPhase
from app.gate.decision import Answer, Verdict
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting, Outcome
from app.gate.undo import InterventionKind, Progress, UnderWay, UndoContext

SENT_PHASES: Final = frozenset({InterventionPhase.SENT, InterventionPhase.DONE})


def progress_of(view: GateView) -> Progress:
    """How far the gate's switch has come, whoever let its traffic through."""
    switch = view.switch
    if switch.ended_at is not None:
        return Progress.FINISHED if switch.status == "Succeeded" else Progress.ENDED
    if not is_let_through(view):
        return Progress.HELD
    return Progress.SWITCHED if switch.switched_at is not None else Progress.SHIFTING


def undo_context_of(view: GateView) -> UndoContext:
    """What the way back of the gate's switch depends on."""
    asked = view.intervention
    under_way = UnderWay(by=asked.by, name=asked.name) if asked and asked.under_way else None
    finishes = asked is not None and asked.kind is InterventionKind.FINISH
    back = view.rollback
    return UndoContext(
        progress=progress_of(view),
        is_auto_rollback=view.basis is Basis.AUTO_ROLLBACK,
        superseded=view.superseded,
        obstacle=view.switch.previous_obstacle,
        under_way=None if finishes else under_way,
        finishing=under_way if finishes else None,
        blue_ends=ends_blue(view),
        on_green=may_be_on_green(view),
        rolling_back=back is not None and back.ended_at is None and back.switched_at is None,
    )


def may_be_on_green(view: GateView) -> bool:
    """Whether the deployment ended badly and left traffic on green, as far as anybody knows."""
    if progress_of(view) is not Progress.ENDED or not is_let_through(view):
        return False
    taken_back = view.rollback is not None and view.rollback.switched_at is not None
    return not taken_back and view.switch.green_percent != 0


def is_approved(view: GateView) -> bool:
    """Whether the decision made here is an approval."""
    return not isinstance(view.gate, Awaiting) and view.gate.verdict is Verdict.APPROVED


def is_withdrawn_by_somebody(view: GateView) -> bool:
    """Whether the deployer or their pipeline withdrew it; otherwise a withdrawn gate's deployment ended by itself."""
    withdrawn = not isinstance(view.gate, Awaiting) and view.gate.verdict is Verdict.WITHDRAWN
    return withdrawn and view.decided_name is not None


def is_withdrawn_for_build(view: GateView) -> bool:
    """Whether the pipeline of a newer build withdrew it; `decided_name` names the build."""
    return is_withdrawn_by_somebody(view) and view.decided_by is None


def is_let_through(view: GateView) -> bool:
    """Whether traffic moves or has moved: it was approved here, CodeDeploy holds `Succeeded` whoever answered it, or
    some of the traffic was seen on green. The way back depends on this, not on the decision."""
    seen = bool(view.switch.green_percent) or view.switch.switched_at is not None
    return seen or is_approved(view) or view.outcome_detail == Answer.SUCCEEDED


def is_let_through_elsewhere(view: GateView) -> bool:
    """Whether traffic moves or has moved without an approval from here."""
    return is_let_through(view) and not is_approved(view)


def ends_blue(view: GateView) -> bool:
    """Whether somebody has ended blue early; the deployment's end is observed a little later."""
    asked = view.intervention
    return (
        asked is not None and asked.kind is InterventionKind.FINISH and asked.phase is InterventionPhase.DONE
    )


def blue_is_ending(view: GateView, *, now: datetime) -> bool:
    """Whether CodeDeploy terminates blue: somebody ended it early, or its time is up."""
    until = view.switch.blue_until
    return ends_blue(view) or (until is not None and until <= now)


def is_undone(view: GateView) -> bool:
    """Whether the previous version serves again."""
    asked = view.intervention
    undone = (
        asked is not None
        and asked.kind is not InterventionKind.FINISH
        and asked.phase is InterventionPhase.DONE
    )
    return undone or (view.rollback is not None and view.rollback.switched_at is not None)


def is_watched(view: GateView) -> bool:
    """Whether green's health is still of interest after the decision: traffic has been let through to it, blue still
    runs, and traffic is not back. The green of an automatic rollback is the previous version's, which ran before."""
    return (
        not isinstance(view.gate, Awaiting)
        and is_let_through(view)
        and view.switch.ended_at is None
        and view.basis is not Basis.AUTO_ROLLBACK
        and not ends_blue(view)
        and not is_undone(view)
    )


def is_being_undone(view: GateView) -> bool:
    """Whether an undo was requested and is under way."""
    asked = view.intervention
    return asked is not None and asked.kind is not InterventionKind.FINISH and asked.under_way


def was_stopped_here(view: GateView, end_reason: str | None = None) -> bool:
    """Whether an undo stopped the deployment; the undo's own text then describes it.

    `end_reason`: where the view does not have it yet.
    """
    asked = view.intervention
    sent = asked is not None and asked.kind is InterventionKind.STOP and asked.phase in SENT_PHASES
    return sent and is_a_stop(end_reason or view.switch.end_reason or "")


def ended_as_decided(view: GateView) -> bool:
    """Whether the deployment failed because CodeDeploy was told `Failed`, as was decided here."""
    return view.outcome is Outcome.ACKNOWLEDGED and view.outcome_detail == Answer.FAILED


def is_a_stop(ending: str) -> bool:
    """Whether CodeDeploy names a manual stop, or no cause. An alarm is another cause."""
    return ending == "Stopped" or "MANUAL_STOP" in ending
