"""What the Lambda meets: servers on loopback that answer, or misbehave, as a test says; and Lambda's context."""

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, Self

from app.hook_lambda.handler import handle

PUT = "PutLifecycleEventHookExecutionStatus"
GET = "GetDeployment"
ARN = "arn:aws:lambda:ap-northeast-2:111122223333:function:CodeDeployHook_switchgate"
EXECUTION = "eyJlbmNyeXB0ZWREYXRhIjoiVGhpcyBpcyBhIHNlY3JldCJ9"
EVENT = {"DeploymentId": "d-0B7YUA91L", "LifecycleEventHookExecutionId": EXECUTION}
SECRET = "a-secret-of-the-hook-0123456789"

Behaviour = Callable[["Visit"], None]


@dataclass(frozen=True)
class Heard:
    """One request. Header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """AWS's name of what is asked."""
        return self.headers.get("x-amz-target", "").rpartition(".")[2]

    def json(self) -> Any:
        return json.loads(self.body)


class Visit(BaseHTTPRequestHandler):
    """One connection to a stand-in."""

    server: "_Server"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Remembers the request and behaves as the script says; its last line is said again for ever."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.heard.append(Heard(self.command, self.path, headers, body))
        script = self.server.script
        (script.pop(0) if len(script) > 1 else script[0])(self)

    def do_GET(self) -> None:
        """A redirect that is followed ends here."""
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: list[Behaviour]) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.script = script
        self.heard: list[Heard] = []
        self.closing = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up is expected; anything else is a mistake in the test."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed knows sockets only


class StandIn:
    """A server with a script of behaviours, one a request."""

    def __init__(self, *script: Behaviour) -> None:
        self._server = _Server(list(script))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def heard(self) -> list[Heard]:
        return self._server.heard

    def wrap(self, wrapper: Callable[[socket.socket], socket.socket]) -> Self:
        """Serves TLS."""
        self._server.socket = wrapper(self._server.socket)
        self.scheme = "https"
        return self

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def answer(status: int, body: object = None, **headers: str) -> Behaviour:
    """A JSON answer (or bytes as they are)."""

    def behave(visit: Visit) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        visit.send_response(status)
        for name, value in headers.items():
            visit.send_header(name, value)
        visit.send_header("Content-Length", str(len(data)))
        visit.end_headers()
        visit.wfile.write(data)

    return behave


def hang(visit: Visit) -> None:
    """Takes the request and never answers."""
    visit.server.closing.wait(30)
    visit.close_connection = True


def drip(visit: Visit) -> None:
    """Answers a byte at a time, each well before any socket's time-out, for ever."""
    with contextlib.suppress(OSError):
        visit.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not visit.server.closing.wait(0.05):
            visit.wfile.write(b".")
    visit.close_connection = True


def reset(visit: Visit) -> None:
    """Drops the connection with a TCP reset."""
    visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.close_connection = True


def garbage(visit: Visit) -> None:
    """Answers in another protocol, and quotes the request."""
    visit.wfile.write(b"SSH-2.0-" + EXECUTION.encode() + b"\r\n")
    visit.close_connection = True


def aws_error(kind: str, status: int = 400) -> Behaviour:
    """CodeDeploy's JSON error; the message quotes the execution id, as AWS may."""
    return answer(status, {"__type": kind, "message": f"no: {EXECUTION}"})


TOLD = answer(200, {"lifecycleEventHookExecutionId": EXECUTION})


@dataclass
class Context:
    """Lambda's context: `seconds` remain at first. Real time counts, and so do the seconds that a test skips."""

    seconds: float = 60.0
    invoked_function_arn: str = ARN
    began: float = field(default_factory=time.monotonic)
    skipped: float = 0.0

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self.seconds - self.skipped - (time.monotonic() - self.began)))


@dataclass
class Bench:
    """One function with its surroundings: CodeDeploy, an environment, and what it logged and slept."""

    codedeploy: StandIn
    env: dict[str, str]
    lines: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def invoke(
        self,
        event: object = EVENT,
        context: object = None,
        *,
        now: Callable[[], float] = time.time,
        env: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, Any]:
        """Invokes the function once. Sleeping takes no time here; the function's time goes on all the same."""
        context = context or Context()

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            if isinstance(context, Context):
                context.skipped += seconds

        return handle(event, context, env={**self.env, **env}, sleep=sleep, now=now, write=self.lines.append)

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def events(self) -> list[str]:
        return [line["event"] for line in self.logged()]

    def told(self) -> list[str]:
        """The statuses that CodeDeploy received, in order, whatever it answered."""
        return [one.json()["status"] for one in self.codedeploy.heard if one.operation == PUT]


def codedeploy(*, creator: Behaviour | str = "user", put: Behaviour | None = None) -> Behaviour:
    """CodeDeploy by operation: who made the deployment (or what becomes of that question), and what becomes of Put."""
    made = creator
    if isinstance(made, str):
        made = answer(200, {"deploymentInfo": {"deploymentId": "d-0B7YUA91L", "creator": made}})
    taken, asked = put or TOLD, made

    def behave(visit: Visit) -> None:
        operation = visit.headers.get("X-Amz-Target", "").rpartition(".")[2]
        (asked if operation == GET else taken)(visit)

    return behave


@contextlib.contextmanager
def bench(behaviour: Behaviour | None = None, *, url: str = "http://127.0.0.1:9") -> Iterator[Bench]:
    """A correctly configured function, with a CodeDeploy that behaves as given (default: a user's deployment)."""
    with StandIn(behaviour or codedeploy()) as aws:
        env = {
            "SWITCHGATE_URL": url,
            "SWITCHGATE_HOOK_KEY_ID": "k1",
            "SWITCHGATE_HOOK_SECRET": SECRET,
            "AWS_REGION": "ap-northeast-2",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_ENDPOINT_URL_CODEDEPLOY": aws.url,
        }
        yield Bench(aws, env)


def in_turn(*script: Behaviour) -> Behaviour:
    """One behaviour after the other; the last one for ever."""
    left = list(script)

    def behave(visit: Visit) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(visit)

    return behave
