"""What a question may be asked with. Each description says what to write: a refusal repeats it, with the example.

A cursor has none: it is made by the page before.
"""

from typing import Annotated, Final

from fastapi import Query

from app.flow.audit_events import Kind
from app.gate.state_machine import Phase

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"

Limit = Annotated[int, Query(ge=1, le=500, description="Items a page: write 1 to 500.", examples=["100"])]
Cursor = Annotated[
    str | None,
    Query(
        max_length=400,
        description="Send the one of the page before as it came, or none for the first page.",
    ),
]
DomainWord = Annotated[
    str | None,
    Query(max_length=200, pattern=PRINTABLE, description="Write a domain's name, whole.", examples=["order"]),
]
DeploymentWord = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=PRINTABLE,
        description="Write CodeDeploy's id, whole.",
        examples=["d-A1B2C3D4E"],
    ),
]
PersonWord = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=PRINTABLE,
        description="Write a Slack user's id, a mention or a name.",
        examples=["U01KIM"],
    ),
]
KindWord = Annotated[
    Kind | None, Query(description="Write one kind of event.", examples=[Kind.GATE_DECIDED.value])
]
PhaseWord = Annotated[
    Phase | None, Query(description="Write one phase of a gate.", examples=[Phase.AWAITING.value])
]
Time = Annotated[
    str | None,
    Query(
        max_length=64,
        description="Write how long ago (30m, 2h, 1d) or a moment with its zone (a + is %2B in an address).",
        examples=["2h", "2026-11-24T05:05:00Z"],
    ),
]
