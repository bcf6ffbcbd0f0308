"""The buttons of cards, lists and replies. Each has an `accessibility_label` that names its domain."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from app.flow.read_models import GateView
from app.flow.switch_progress import progress_of
from app.gate.evidence.model import Missing
from app.gate.rules.permits import Basis
from app.gate.undo import InterventionKind, Progress
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, actions, button, confirm, section
from app.slack.text.switch import console_url, domain_name, traffic_text
from app.slack.text.versions import SwitchNames, switch_names

DETAILS: Final = "details"
UNDO: Final = "undo"
BREAK_GLASS: Final = "break_glass"
RETRACT_VOTE: Final = "take_back"
WITHDRAW: Final = "withdraw"
RUN_CHECKS: Final = "run_checks"
OPEN_CODEDEPLOY: Final = "open_codedeploy"


class Confirmation(StrEnum):
    """The confirmation of Approve: for the last missing approval, or for one of several."""

    LAST = "approve"
    TOWARD = "approve_toward"


def approve_button(view: GateView, *, texts: Texts, by_form: bool, confirmation: Confirmation) -> Block:
    """`by_form`: a form asks for the reason, so there is no confirmation dialog."""
    ask = confirm(
        title=texts(f"confirm.{confirmation}.title", domain=domain_name(view, texts)),
        text=_consequence(view, confirmation, texts),
        yes=texts(f"confirm.{confirmation}.yes"),
        no=texts(f"confirm.{confirmation}.no"),
    )
    return _button(view, "approve", texts=texts, style="primary", ask=None if by_form else ask)


def _consequence(view: GateView, confirmation: Confirmation, texts: Texts) -> str:
    """What an approval does, and how long it can be taken back within seconds."""
    text = texts(
        f"confirm.{confirmation}.text",
        switch=switch_names(view, texts).switch,
        traffic=traffic_text(view.switch.traffic, texts),
    )
    safety = view.evidence.safety if view.evidence is not None else None
    if safety is None or isinstance(safety, Missing) or not safety.blue_kept_minutes:
        return text
    return f"{text} {texts('confirm.approve.seconds', minutes=safety.blue_kept_minutes)}"


def reject_button(view: GateView, *, texts: Texts) -> Block:
    """Opens the form that asks why."""
    return _button(view, "reject", texts=texts, style="danger")


def details_button(view: GateView, *, texts: Texts) -> Block:
    """Opens the details modal."""
    return _button(view, DETAILS, texts=texts)


def undo_button(view: GateView, kind: InterventionKind, *, names: SwitchNames, texts: Texts) -> Block:
    """Opens the form that asks why. Its text says what it does: stop the deployment, or deploy another version.

    `names`: of the switch whose card has the button.
    """
    return _button(view, UNDO, key=_undo_key(view, kind), names=names, texts=texts, style="danger")


def _undo_key(view: GateView, kind: InterventionKind) -> str:
    """Undoing an undo returns to the newer version."""
    if view.basis is Basis.UNDO and not view.returns:
        return "return_to"
    if kind is not InterventionKind.REDEPLOY:
        return "undo"
    return "redeploy" if progress_of(view) is Progress.ENDED else "undo_to"


def finish_button(view: GateView, *, texts: Texts) -> Block:
    """Terminates blue, and with it the fast way back."""
    name = domain_name(view, texts)
    ask = confirm(
        title=texts("confirm.finish.title", domain=name),
        text=texts("confirm.finish.text", domain=name),
        yes=texts("confirm.finish.yes"),
        no=texts("confirm.finish.no"),
        style="danger",
    )
    return _button(view, "finish", texts=texts, ask=ask)


def break_glass_button(view: GateView, *, texts: Texts) -> Block:
    """Opens the break-glass form. Only admins may use it; others get a denial."""
    return _button(view, BREAK_GLASS, texts=texts, style="danger")


def retract_vote_button(view: GateView, *, texts: Texts) -> Block:
    """Retracts the user's own vote."""
    return _button(view, RETRACT_VOTE, texts=texts)


def withdraw_button(view: GateView, *, texts: Texts) -> Block:
    """Opens the form in which the deployer withdraws the switch. Others get a denial."""
    return _button(view, WITHDRAW, texts=texts)


def run_checks_button(view: GateView, *, texts: Texts) -> Block:
    """Runs the probes again."""
    return _button(view, RUN_CHECKS, texts=texts)


def open_codedeploy_button(view: GateView, *, texts: Texts) -> Block | None:
    """A link to AWS's console; None where its address is not known."""
    url = console_url(view)
    return _button(view, OPEN_CODEDEPLOY, texts=texts) | {"url": url} if url else None


def reply_blocks(text: str, buttons: Sequence[Block]) -> list[Block] | None:
    """A reply with buttons; None if the text is enough."""
    return [section(text), actions("offers", *buttons)] if buttons else None


def _button(
    view: GateView,
    action: str,
    *,
    texts: Texts,
    key: str = "",
    names: SwitchNames | None = None,
    style: str | None = None,
    ask: Block | None = None,
) -> Block:
    """`key`: of its texts, where that is not the action's id."""
    names, key = names or switch_names(view, texts), key or action
    return button(
        texts(f"button.{key}", **names.fields),
        action=action,
        value=str(ActionValue(gate=view.id, prompt_version=view.prompt_version)),
        label=texts(f"button.label.{key}", name=names.green, **names.fields),
        style=style,
        confirm=ask,
    )
