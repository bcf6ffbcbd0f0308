"""The undo form: says how the switch is undone, and requires a reason."""

import re
from dataclasses import dataclass
from typing import Final

from app.flow.read_models import GateView
from app.flow.switch_progress import ends_blue, progress_of, undo_context_of
from app.gate.undo import InterventionKind, Progress
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.blocks import Block, section
from app.slack.modals.reason_form import reason_form
from app.slack.text.escape import escaped, inline
from app.slack.text.switch import domain_name
from app.slack.text.undo_options import previous_text, traffic_left

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


def undo_form(action_value: ActionValue, *, view: GateView, kind: InterventionKind, texts: Texts) -> Block:
    """The modal for this kind of undo."""
    says = texts(
        f"undo.says.{_text_key(view, kind)}",
        domain=escaped(domain_name(view, texts)),
        deployment=inline(view.switch.key.deployment),
        previous=previous_text(view, texts),
        left=" ".join(traffic_left(view, texts)),
    )
    return reason_form(
        UNDO_CALLBACK,
        [section(says)],
        title=texts("undo.title"),
        label=texts("undo.label"),
        hint=texts("undo.hint"),
        submit=texts(f"undo.submit.{kind}"),
        close=texts("undo.close"),
        metadata=str(UndoMetadata(action_value=action_value, kind=kind)),
    )


def _text_key(view: GateView, kind: InterventionKind) -> str:
    """The text key of what will happen."""
    if kind is InterventionKind.REDEPLOY:
        return "redeploy_ended" if progress_of(view) is Progress.ENDED else "redeploy"
    if undo_context_of(view).finishing is not None:
        return "stop_instead_of_finish"
    return "stop_blue_ends" if ends_blue(view) else "stop"
