"""Switchgate's API: the gate of a deployment, and the results of checks."""

import json
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

from switchgate_pipeline.failures import PipelineFailure

SECONDS: Final = 10.0


class ApiUnavailable(Exception):
    """The API did not answer, or refused; the message says how. `status` and `error`: of a refusal."""

    def __init__(self, message: str, *, status: int = 0, error: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error = error


@dataclass(frozen=True, slots=True)
class Gate:
    """What the API says of a gate. `verdict` is None while it waits."""

    opened_at: datetime
    deadline_at: datetime
    verified: bool
    verdict: str | None
    decided_by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Api:
    """The API at `url`, called with a token that has the scopes `read` and `checks`, and for `withdraw`
    `switches:withdraw`."""

    url: str
    token: str

    def gate(self, deployment: str) -> Gate | None:
        """The deployment's latest gate; None: there is none yet. Raises `ApiUnavailable`."""
        found = self._call("GET", f"/api/v1/gates?{urlencode({'deployment': deployment, 'limit': 1})}")
        items = found.get("items") or []
        return _gate(items[0]) if items else None

    def report_check(self, deployment: str, name: str, *, state: str, summary: str, url: str | None) -> None:
        """Creates or updates a check. Raises `ApiUnavailable`."""
        path = f"/api/v1/switches/{quote(deployment, safe='')}/checks/{quote(name, safe='')}"
        self._call("PUT", path, {"state": state, "summary": summary[:500], "url": url})

    def withdraw(self, deployment: str, *, build: str, application: str, group: str) -> None:
        """Withdraws a switch that nobody has decided; again changes nothing. Raises `ApiUnavailable`."""
        path = f"/api/v1/switches/{quote(deployment, safe='')}/withdraw"
        self._call("POST", path, {"build": build, "application": application, "deployment_group": group})

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url.rstrip("/") + path, data=data, headers=headers, method=method)
        try:
            with urlopen(request, timeout=SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except HTTPError as exc:
            problem = _problem(exc)
            says = f"it answered {exc.code} {str(problem.get('detail', ''))[:200]}".rstrip()
            raise ApiUnavailable(says, status=exc.code, error=str(problem.get("error", ""))) from None
        except (URLError, HTTPException, OSError, ValueError) as exc:
            raise ApiUnavailable(f"it could not be reached ({type(exc).__name__})") from None


def api_of(url: str, token: str) -> Api | None:
    """None without an address: CodeDeploy alone is asked then. Raises `PipelineFailure`."""
    if not url:
        return None
    if not url.startswith("https://") and urlsplit(url).hostname not in {"127.0.0.1", "localhost"}:
        raise PipelineFailure(
            "Input wrong", "api-url must begin with https://, because a token is sent to it."
        )
    if not token:
        raise PipelineFailure("Input missing", "api-token is not set, and api-url is.")
    return Api(url, token)


def _gate(item: dict[str, Any]) -> Gate:
    return Gate(
        opened_at=_time(item["opened_at"]),
        deadline_at=_time(item["deadline_at"]),
        verified=bool(item.get("verified")),
        verdict=item.get("verdict"),
        decided_by=item.get("decided_name") or item.get("decided_by"),
        reason=item.get("reason"),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _problem(exc: HTTPError) -> dict[str, Any]:
    """The problem details, if there are any."""
    try:
        found = json.load(exc)
    except (ValueError, OSError):
        return {}
    return found if isinstance(found, dict) else {}
