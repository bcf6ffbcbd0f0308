"""The tables `[probes]` and `[[domains.<name>.probe]]`."""

from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from app.config.tables.policy_tables import Table
from app.config.tables.probe_addresses import always_forbidden
from app.config.values import InvalidValue, check_name
from app.gate.rules.checks import Probe


def probe_url(value: str) -> str:
    """An http(s) URL that a probe may request, as far as is known before its host is resolved."""
    remedy = 'Write it like url = "https://order.example.com/health".'
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidValue("is malformed", remedy) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise InvalidValue("is no address: it begins with http:// or https:// and a host", remedy)
    if parts.username is not None or parts.password is not None:
        raise InvalidValue(
            "names a user, and nothing in this file is secret", "Leave out what stands before the @."
        )
    if parts.fragment:
        raise InvalidValue("has a part after #, which is never sent", "Leave it out.")
    if any(ord(char) < 33 for char in value):
        raise InvalidValue("holds blanks", remedy)
    _refuse_forbidden(host)
    return value


def _refuse_forbidden(host: str) -> None:
    try:
        address = ip_address(host)
    except ValueError:
        return  # a name: its addresses are checked when the probe runs
    if always_forbidden(address):
        raise InvalidValue(
            f"asks {host}, where cloud machines keep their credentials or nobody can be",
            "Name the domain's own test listener.",
        )


def host_names(value: list[str]) -> list[str]:
    """Hosts in lower case, without scheme, port or path."""
    for entry in value:
        if not entry or entry.strip() != entry or any(char in entry for char in "/@ *"):
            raise InvalidValue(
                f'"{entry}" is no host', 'Write names or addresses: allowed_hosts = ["alb.internal"].'
            )
    return [entry.lower().rstrip(".") for entry in value]


class ProbesTable(Table):
    """`[probes]`"""

    allowed_hosts: Annotated[
        list[str], AfterValidator(host_names), Field(examples=[["internal-alb.example.internal"]])
    ] = []
    """Hosts that probes may request although their addresses are private. Addresses of cloud metadata are always
    refused."""


class JsonTable(Table):
    """`expect_json`: a value in the answer."""

    path: Annotated[str, Field(min_length=1, max_length=200, examples=["status"])]
    """Path of the value in the JSON answer."""
    equals: Annotated[str | int | float | bool, Field(examples=["UP"])]
    """The value that it must have."""


def _http_status(value: int) -> int:
    if not 100 <= value <= 599:
        raise InvalidValue(f"is {value}, which is no HTTP status", "Write one such as 200.")
    return value


def _seconds(value: float) -> float:
    if not 0.1 <= value <= 30:
        raise InvalidValue(f"is {value:g}", "Write 0.1 to 30 seconds.")
    return value


class ProbeTable(Table):
    """`[[domains.<name>.probe]]`"""

    name: Annotated[str, AfterValidator(check_name), Field(examples=["order health"])]
    """Name of the check; unique within the domain."""
    url: Annotated[str, AfterValidator(probe_url), Field(examples=["https://order.example.com:18020/health"])]
    """What to request: an http or https URL that reaches green, usually at the test listener."""
    method: Annotated[Literal["GET", "HEAD", "POST"], Field(examples=["HEAD"])] = "GET"
    """HTTP method."""
    expect_status: Annotated[int, AfterValidator(_http_status), Field(examples=[204])] = 200
    """HTTP status at which the check passes."""
    expect_json: Annotated[JsonTable | None, Field(examples=[{"path": "status", "equals": "UP"}])] = None
    """A value in the JSON answer that must match, too."""
    timeout_seconds: Annotated[float, AfterValidator(_seconds), Field(examples=[2.5])] = 5.0
    """Time-out of the request: 0.1 to 30 seconds."""

    def to_probe(self) -> Probe:
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
