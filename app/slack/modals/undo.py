"""The form of Roll back: says how the switch is rolled back and what CodeDeploy does for it, and requires a reason."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.flow.read_models import GateView
from app.flow.switch_progress import blue_is_ending, progress_of, undo_context_of
from app.flow.undo.intervention import Intervention, InterventionPhase
from app.gate.ids import UserId
from app.gate.rules.permits import Basis
from app.gate.undo import InterventionKind, Progress
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.blocks import Block, section, when
from app.slack.modals.reason_form import reason_form
from app.slack.text.escape import escaped, inline
from app.slack.text.switch import domain_name
from app.slack.text.undo_options import redeployed_text, traffic_left

UNDO_CALLBACK: Final = "undo_reason"

_SHAPE: Final = re.compile(r"(?P<action_value>[^/]+)/(?P<kind>stop|redeploy)")


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoMetadata:
    """The form's private metadata: the gate, and the kind of undo that it showed."""

    action_value: ActionValue
    kind: InterventionKind

    def __str__(self) -> str:
        return f"{self.action_value}/{self.kind}"

    @classmethod
    def parse(cls, value: object) -> "UndoMetadata":
        """Raises `InvalidActionValue`."""
        found = _SHAPE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise InvalidActionValue
        return cls(
            action_value=ActionValue.parse(found["action_value"]), kind=InterventionKind(found["kind"])
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoForm:
    """What the form shows. `notes` stand above what will happen; `reason` is filled in."""

    view: GateView
    kind: InterventionKind
    now: datetime
    notes: tuple[str, ...] = field(default=())
    reason: str = ""

    def block(self, texts: Texts) -> Block:
        """The modal."""
        view = self.view
        action_value = ActionValue(gate=view.id, prompt_version=view.prompt_version)
        says = "return_says" if is_return(view) else "says"
        text = texts(
            f"undo.{says}.{_text_key(view, self.kind, now=self.now)}",
            domain=escaped(domain_name(view, texts)),
            deployment=inline(view.switch.key.deployment),
            previous=redeployed_text(view, texts),
            left=" ".join(traffic_left(view, texts)),
            until=when(view.switch.blue_until) if view.switch.blue_until else "—",
        )
        titles = "return" if is_return(view) else "submit"
        return reason_form(
            UNDO_CALLBACK,
            [*map(section, self.notes), section(text)],
            title=texts("undo.return_title" if is_return(view) else "undo.title"),
            label=texts("undo.label"),
            hint=texts("undo.hint"),
            submit=texts(f"undo.{titles}.{self.kind}"),
            close=texts("undo.close"),
            metadata=str(UndoMetadata(action_value=action_value, kind=self.kind)),
            initial=self.reason,
        )


def is_return(view: GateView) -> bool:
    """Whether rolling the switch back brings the newer version back, because it is a rollback itself."""
    return view.basis is Basis.UNDO and not view.returns


def reason_given_before(view: GateView, by: UserId) -> str:
    """What this person typed for a rollback that failed; empty if there is none."""
    before: Intervention | None = view.intervention
    failed = before is not None and before.phase is InterventionPhase.FAILED
    return before.reason if before is not None and failed and before.by == by else ""


def _text_key(view: GateView, kind: InterventionKind, *, now: datetime) -> str:
    """The text key of what will happen."""
    if kind is InterventionKind.REDEPLOY:
        return "redeploy_ended" if progress_of(view) is Progress.ENDED else "redeploy"
    if undo_context_of(view).finishing is not None:
        return "stop_instead_of_finish"
    if blue_is_ending(view, now=now):
        return "stop_blue_ends"
    return "stop_until" if view.switch.blue_until is not None else "stop"
