"""What the log lines of a worker's job carry: the gate and the deployment that it is about."""

from collections.abc import Mapping

from app.flow.read_models import GateView, Switch

LogContext = Mapping[str, str]
"""Names and values for structlog's context variables."""


def about_gate(view: GateView) -> LogContext:
    """Its id and its deployment's."""
    return {"gate": str(view.id), **about_switch(view.switch)}


def about_switch(switch: Switch) -> LogContext:
    """Its deployment's id."""
    return {"deployment": switch.key.deployment}
