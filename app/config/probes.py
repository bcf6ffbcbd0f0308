"""`[probes]` and `[[domains.<name>.probe]]` as people write them."""

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from app.config.policy import Table
from app.config.probe_addresses import always_forbidden
from app.config.values import Wrong, check_name
from app.gate.rules.checks import Probe

if TYPE_CHECKING:
    from app.config.schema import File, Problem

MOST: Final = 20
"""Probes of one domain."""


def probe_url(value: str) -> str:
    """An http(s) URL that a probe may ask, as far as it can be told before its host is looked up."""
    remedy = 'Write it like url = "https://order.example.com/health".'
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Wrong("is malformed", remedy) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise Wrong("is no address: it begins with http:// or https:// and a host", remedy)
    if parts.username is not None or parts.password is not None:
        raise Wrong("names a user, and nothing in this file is secret", "Leave out what stands before the @.")
    if parts.fragment:
        raise Wrong("has a part after #, which is never sent", "Leave it out.")
    if any(ord(mark) < 33 for mark in value):
        raise Wrong("holds blanks", remedy)
    _refuse_forbidden(host)
    return value


def _refuse_forbidden(host: str) -> None:
    try:
        address = ip_address(host)
    except ValueError:
        return  # a name: what it stands for is looked at when the probe runs
    if always_forbidden(address):
        raise Wrong(
            f"asks {host}, where cloud machines keep their credentials or nobody can be",
            "Name the domain's own test listener.",
        )


def host_names(value: list[str]) -> list[str]:
    """Hosts in small letters, without scheme, port or path."""
    for entry in value:
        if not entry or entry.strip() != entry or any(mark in entry for mark in "/@ *"):
            raise Wrong(
                f'"{entry}" is no host', 'Write names or addresses: allowed_hosts = ["alb.internal"].'
            )
    return [entry.lower().rstrip(".") for entry in value]


class ProbesTable(Table):
    """`[probes]`"""

    allowed_hosts: Annotated[list[str], AfterValidator(host_names)] = []


class JsonTable(Table):
    """`expect_json`: a value in the answer."""

    path: Annotated[str, Field(min_length=1, max_length=200)]
    equals: str | int | float | bool


def _a_status(value: int) -> int:
    if not 100 <= value <= 599:
        raise Wrong(f"is {value}, which is no HTTP status", "Write one such as 200.")
    return value


def _seconds(value: float) -> float:
    if not 0.1 <= value <= 30:
        raise Wrong(f"is {value:g}", "Write 0.1 to 30 seconds.")
    return value


class ProbeTable(Table):
    """`[[domains.<name>.probe]]`"""

    name: Annotated[str, AfterValidator(check_name)]
    url: Annotated[str, AfterValidator(probe_url)]
    method: Literal["GET", "HEAD", "POST"] = "GET"
    expect_status: Annotated[int, AfterValidator(_a_status)] = 200
    expect_json: JsonTable | None = None
    timeout_seconds: Annotated[float, AfterValidator(_seconds)] = 5.0

    def made(self) -> Probe:
        """The probe."""
        return Probe(
            name=self.name,
            url=self.url,
            method=self.method,
            expect_status=self.expect_status,
            json_path=self.expect_json.path if self.expect_json else None,
            json_equals=self.expect_json.equals if self.expect_json else None,
            timeout=timedelta(seconds=self.timeout_seconds),
        )


def probe_problems(found: "File") -> "Sequence[Problem]":
    """Two probes of one name, or more than anybody reads."""
    problems = []
    for domain, table in found.domains.items():
        names = [probe.name for probe in table.probe]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            what = f'names "{twice[0]}" twice'
            problems.append(found.problem(["domains", domain, "probe"], what, "Give each a name of its own."))
        if len(names) > MOST:
            what = f"has {len(names)} entries"
            problems.append(found.problem(["domains", domain, "probe"], what, f"Write at most {MOST}."))
    return problems
