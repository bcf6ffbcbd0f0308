"""Bolt middleware: the log lines of a press or a form carry the gate that it is about."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from structlog.contextvars import bind_contextvars

from app.gate.ids import GateId
from app.slack.action_value import gates_named_in
from app.slack.payload import Body


async def bind_gate(body: Body, next: Callable[[], Awaitable[Any]]) -> None:
    """For all requests. The gate is bound for the log only: handlers read and check it themselves.

    Bolt runs the listener after its middleware has returned, in the same task. The request's beginning clears it.
    """
    if gate := gate_of(body):
        bind_contextvars(gate=str(gate))
    await next()


def gate_of(body: Body) -> GateId | None:
    """The gate that a button, a menu or a form names; None if it names none, or several."""
    named = gates_named_in(_value_of(body))
    return named.pop() if len(named) == 1 else None


def _value_of(body: Body) -> str:
    action: Mapping[str, Any] = next(iter(body.get("actions") or ()), {})
    chosen = action.get("selected_option") or action
    value = chosen.get("value") or (body.get("view") or {}).get("private_metadata")
    return value if isinstance(value, str) else ""
