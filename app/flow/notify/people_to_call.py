"""Who is called when something went wrong with a switch."""

from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.rules.policy import Policy


def people_to_call(view: GateView, *, rules: Rules) -> tuple[str, ...]:
    """Approvers, those whom `notify` names, the deployer, and `escalate_to` where it is a person or a user group."""
    policy = _policy(view, rules)
    switch = view.switch
    deployers = (switch.deployer,) if switch.deployer else switch.named_deployers
    to = policy.reminder_settings.escalate_to
    escalation = (to,) if to is not None and not is_channel(to) else ()
    return tuple(dict.fromkeys((*policy.voters, *policy.notify, *deployers, *escalation)))


def escalation_channel(view: GateView, *, rules: Rules) -> str | None:
    """`escalate_to`, where it is a channel other than the card's."""
    to = _policy(view, rules).reminder_settings.escalate_to
    return to if to is not None and is_channel(to) and to != _own_channel(view, rules) else None


def is_channel(entry: str) -> bool:
    """Whether the id is a channel's, and no user's or user group's."""
    return entry.startswith(("C", "G"))


def _policy(view: GateView, rules: Rules) -> Policy:
    domain = rules.domain(view.switch.domain) if view.switch.domain else None
    return domain.policy if domain else rules.default_policy


def _own_channel(view: GateView, rules: Rules) -> str:
    domain = rules.domain(view.switch.domain) if view.switch.domain else None
    return domain.channel if domain else rules.default_channel
