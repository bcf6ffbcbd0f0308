"""Query parameters of the searches. Each description says what to write: an error repeats it, with the example.

A cursor has no example: it is made by the page before.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from app.flow.audit_events import Kind
from app.gate.state_machine import Phase

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"

Domain = Annotated[
    str | None,
    Field(max_length=200, pattern=PRINTABLE, description="Write a domain's name, whole.", examples=["order"]),
]
Deployment = Annotated[
    str | None,
    Field(
        max_length=200,
        pattern=PRINTABLE,
        description="Write CodeDeploy's id, whole.",
        examples=["d-A1B2C3D4E"],
    ),
]
Person = Annotated[
    str | None,
    Field(
        max_length=200,
        pattern=PRINTABLE,
        description="Write a Slack user's id, a mention or a name.",
        examples=["U01KIM"],
    ),
]
Time = Annotated[
    str | None,
    Field(
        max_length=64,
        description="Write how long ago (30m, 2h, 1d) or a moment with its zone (a + is %2B in an address).",
        examples=["2h", "2026-11-24T05:05:00Z"],
    ),
]
Limit = Annotated[int, Field(ge=1, le=500, description="Items a page: write 1 to 500.", examples=["100"])]
Cursor = Annotated[
    str | None,
    Field(
        max_length=400,
        description="Send the one of the page before as it came, or none for the first page.",
    ),
]


class Params(BaseModel):
    """A misspelt filter must not be answered with everything."""

    model_config = ConfigDict(extra="forbid")


class AuditParams(Params):
    """Which audit events, and which page of them."""

    domain: Domain = None
    deployment: Deployment = None
    person: Person = None
    kind: Annotated[
        Kind | None, Field(description="Write one kind of event.", examples=[Kind.GATE_DECIDED.value])
    ] = None
    since: Time = None
    until: Time = None
    limit: Limit = 100
    cursor: Cursor = None


class SwitchParams(Params):
    """Which switches, and which page of them."""

    domain: Domain = None
    deployment: Deployment = None
    limit: Limit = 100
    cursor: Cursor = None


class GateParams(Params):
    """Which gates, and which page of them."""

    domain: Domain = None
    deployment: Deployment = None
    phase: Annotated[
        Phase | None, Field(description="Write one phase of a gate.", examples=[Phase.AWAITING.value])
    ] = None
    limit: Limit = 100
    cursor: Cursor = None
