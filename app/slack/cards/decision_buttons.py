"""The buttons Approve and Reject, with the secondary buttons, of a waiting gate."""

from enum import StrEnum

from app.flow.approval.rule_status import RuleStatus
from app.flow.read_models import GateView
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, actions, button, confirm
from app.slack.cards.approval_status import secondary_buttons
from app.slack.text.switch import domain_name, traffic_text


class Confirmation(StrEnum):
    """The confirmation of Approve: for the last missing approval, one of several, or one that a rule holds back."""

    LAST = "approve"
    TOWARD = "approve_toward"
    HELD = "approve_held"


def decision_buttons(
    view: GateView, *, texts: Texts, block_id: str, rule_status: RuleStatus | None = None
) -> Block:
    """Approve (confirmed in the client, or by a form for the reason), Reject (opens a form), secondary buttons."""
    by_form = rule_status is not None and rule_status.opens_form
    return actions(
        block_id,
        approve_button(view, texts=texts, by_form=by_form, confirmation=_confirmation(rule_status)),
        reject_button(view, texts=texts),
        *secondary_buttons(view, rule_status=rule_status, texts=texts),
    )


def approve_button(view: GateView, *, texts: Texts, by_form: bool, confirmation: Confirmation) -> Block:
    """`by_form`: a form asks for the reason, so there is no confirmation dialog."""
    name = domain_name(view, texts)
    port = f":{view.switch.listener_port}" if view.switch.listener_port else ""
    ask = confirm(
        title=texts(f"confirm.{confirmation}.title", domain=name),
        text=texts(
            f"confirm.{confirmation}.text",
            domain=name,
            port=port,
            traffic=traffic_text(view.switch.traffic, texts),
        ),
        yes=texts(f"confirm.{confirmation}.yes"),
        no=texts(f"confirm.{confirmation}.no"),
    )
    return button(
        texts("button.approve"),
        action="approve",
        value=str(ActionValue(gate=view.id, prompt_version=view.prompt_version)),
        style="primary",
        confirm=None if by_form else ask,
    )


def reject_button(view: GateView, *, texts: Texts) -> Block:
    """Opens the form that asks why."""
    action_value = str(ActionValue(gate=view.id, prompt_version=view.prompt_version))
    return button(texts("button.reject"), action="reject", value=action_value, style="danger")


def _confirmation(rule_status: RuleStatus | None) -> Confirmation:
    """The same for every reader of the card."""
    if rule_status is None:
        return Confirmation.TOWARD
    if rule_status.is_held:
        return Confirmation.HELD
    return Confirmation.LAST if rule_status.one_is_enough else Confirmation.TOWARD
