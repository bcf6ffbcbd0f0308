"""The pipelines' smoke tests: they test green before anybody decides, and report checks to the service as CI does."""

import itertools
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from threading import Event, Lock, Thread
from typing import Any, Final, Self
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.people import SMOKE_TEST

log = logging.getLogger(__name__)

TEST_SECONDS: Final = 6.0
"""Stand-in seconds that a test takes once test traffic is on green."""

POLL_SECONDS: Final = 0.1
RETRY_SECONDS: Final = 1.0
REQUEST_TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SmokeTest:
    """`name` is the check's name; the others are CI's summaries of a run."""

    name: str
    runs: str
    passes: str
    fails: str


SMOKE_TESTS: Final = {
    "payment": SmokeTest(
        name=SMOKE_TEST,
        runs="Charges three test cards on green.",
        passes="3 of 3 test cards were charged and refunded.",
        fails="1 of 3 test cards was charged twice.",
    )
}


@dataclass(frozen=True, slots=True)
class _Run:
    domain: str
    deployment: str
    number: int


class SmokeTests:
    """Runs the tests, each in its own thread, until `stop`. Every method may be called from any thread."""

    def __init__(
        self,
        aws: AwsStandIn,
        *,
        service: Callable[[], str],
        token: str,
        tests: Mapping[str, SmokeTest] = SMOKE_TESTS,
    ) -> None:
        """`service` gives the address of the service's API; `token` is one with the scope `checks`."""
        self._aws = aws
        self._service = service
        self._token = token
        self._tests = tests
        self._failing: set[str] = set()
        self._latest: dict[str, _Run] = {}
        self._numbers = itertools.count(8_812_401)
        self._lock = Lock()
        self._stopping = Event()
        self._opener = build_opener(ProxyHandler({}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Reports stop."""
        self._stopping.set()

    def begin(self, domain: str, deployment: str) -> None:
        """Tests a deployment that has just been made. Nothing for a domain without a test."""
        if domain not in self._tests:
            return
        with self._lock:
            run = self._latest[domain] = _Run(domain, deployment, next(self._numbers))
        Thread(target=self._run, args=[run], name=f"smoke:{domain}", daemon=True).start()

    def find(self, domain: str, *, passes: bool) -> None:
        """What the test finds from now on; what still waits is tested again. Raises `LookupError`."""
        if domain not in self._tests:
            raise LookupError(f"{domain} has no smoke test")
        with self._lock:
            self._failing = self._failing - {domain} if passes else self._failing | {domain}
            last = self._latest.get(domain)
        if last is not None and not self._has_moved(last):
            self.begin(domain, last.deployment)

    def pieces(self) -> dict[str, Any]:
        """`smoke:<name>` for every domain that has a test."""
        return {
            f"smoke:{domain}": {"domain": domain, "fails": domain in self._failing} for domain in self._tests
        }

    def _run(self, run: _Run) -> None:
        test = self._tests[run.domain]
        self._report(run, "pending", test.runs)
        if not self._until(run, lambda: self._is_on_green(run)):
            return
        due = self._aws.clock.seconds() + TEST_SECONDS
        if not self._until(run, lambda: self._aws.clock.seconds() >= due):
            return
        if run.domain in self._failing:
            self._report(run, "failed", test.fails)
        else:
            self._report(run, "passed", test.passes)

    def _is_on_green(self, run: _Run) -> bool:
        return self._aws.deployment(run.deployment).event("AfterAllowTestTraffic").status == "Succeeded"

    def _has_moved(self, run: _Run) -> bool:
        """Whether its traffic moves, has moved or never will."""
        deployment = self._aws.deployment(run.deployment)
        return deployment.over or deployment.event("AllowTraffic").status != "Pending"

    def _until(self, run: _Run, predicate: Callable[[], bool]) -> bool:
        """False: there is nothing left to report."""
        while self._is_current(run):
            if predicate():
                return True
            self._stopping.wait(POLL_SECONDS)
        return False

    def _is_current(self, run: _Run) -> bool:
        """Until it is run again, or its deployment is over."""
        if self._stopping.is_set() or self._latest[run.domain] is not run:
            return False
        return not self._aws.deployment(run.deployment).over

    def _report(self, run: _Run, state: str, summary: str) -> None:
        """Retries while the service cannot be reached."""
        report = f"https://github.com/klp-logistics/{run.domain}/actions/runs/{run.number}"
        body = json.dumps({"state": state, "summary": summary, "url": report}).encode()
        while self._is_current(run) and not self._is_accepted(self._request(run, body)):
            self._stopping.wait(RETRY_SECONDS)

    def _request(self, run: _Run, body: bytes) -> Request:
        name = quote(self._tests[run.domain].name, safe="")
        return Request(  # noqa: S310 - an address of our own service
            f"{self._service()}/api/v1/switches/{run.deployment}/checks/{name}",
            method="PUT",
            data=body,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
        )

    def _is_accepted(self, request: Request) -> bool:
        """Whether it was sent, or refused permanently."""
        try:
            with self._opener.open(request, timeout=REQUEST_TIMEOUT_SECONDS):
                return True
        except HTTPError as refusal:
            with refusal:
                log.warning("the service refuses a check: %d", refusal.code)
                return refusal.code < 500
        except (OSError, HTTPException):
            return False
