"""Forwards a CodeDeploy lifecycle hook to Switchgate, and returns at once; people may take their time there.

Deploy: this one file is the whole function. It needs the standard library and the boto3 of Lambda's Python
runtime (3.11 or newer), nothing else. Handler `handler.handler`, time-out 60 s, memory 256 MB or more (importing
boto3 is slow with less). Name it as the AppSpec's `BeforeAllowTraffic` hook, by name or by ARN.

The function's name must start with `CodeDeployHook_`: the managed policies AWSCodeDeployRoleForECSLimited and
AWSCodeDeployRoleForLambda let CodeDeploy invoke `arn:aws:lambda:*:*:function:CodeDeployHook_*` and no others, and
a hook that CodeDeploy may not invoke fails the deployment.

IAM, the function's role: logs:CreateLogStream and logs:PutLogEvents on its log group;
codedeploy:PutLifecycleEventHookExecutionStatus on "*" (the action knows no resources);
codedeploy:GetDeployment on the deployment groups, so that it recognises an automatic rollback by itself;
secretsmanager:GetSecretValue on the one secret, where SWITCHGATE_HOOK_SECRET_ARN is used (and kms:Decrypt, where a
key of your own encrypts it); the usual network interface actions in a VPC. In a VPC it must also reach CodeDeploy
and Secrets Manager, by NAT or by endpoints: otherwise it cannot answer CodeDeploy when Switchgate is away.

Environment:
  SWITCHGATE_URL               base URL of the service, for example https://switchgate.internal; http:// is
                               taken for loopback only
  SWITCHGATE_HOOK_KEY_ID       the key's name, as in the service's SWITCHGATE_HOOK_SECRETS
  SWITCHGATE_HOOK_SECRET       the key's secret, or
  SWITCHGATE_HOOK_SECRET_ARN   a Secrets Manager secret: the plain secret, or {"kid": "...", "secret": "..."}
  HOOK_NAME                    optional, the lifecycle event that this function hooks; default BeforeAllowTraffic,
                               the only one that Switchgate gates: a hook of another event is refused

An EventBridge rule on {"source": ["aws.codedeploy"]} may have this same function as its target: state changes are
forwarded as hints, so that Switchgate notices endings at once. Nothing depends on them.

When Switchgate does not take the hook, the function tries again until its time is nearly over. After the first
failed try it asks CodeDeploy who made the deployment: an automatic rollback (creator codeDeployRollback or
CloudFormationRollback) is answered `Succeeded` at once, because a rollback must never wait for Switchgate. Anything
else that Switchgate refuses, or has not taken by the end, is answered `Failed`: a hook that nobody answers holds its
deployment for an hour. Without codedeploy:GetDeployment a rollback is not recognised and is answered `Failed`, too.
All of this ends before the function's own time-out. When CodeDeploy cannot be told either, the function raises; put
an alarm on the function's Errors.
"""

import hashlib
import hmac
import http.client
import ipaddress
import itertools
import json
import os
import random
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

CONNECT_SECONDS: Final = 3.0
TRY_SECONDS: Final = 10.0
"""One request to Switchgate, from the connection to the answer."""
FIRST_TRY_SECONDS: Final = 5.0
"""The first one is given up earlier, or earlier still in a short function: a rollback waits for it."""
AWS_CONNECT_SECONDS: Final = 2.0
AWS_TRY_SECONDS: Final = 3.0
"""One call to AWS, as a whole."""
HINT_TRIES: Final = 3
BACK_OFF_SECONDS: Final = 0.5
"""Before the second try, doubled before each further one up to the longest; half as much again or as little."""
MAX_BACK_OFF_SECONDS: Final = 4.0
AWS_BACK_OFF_SECONDS: Final = 0.2
RESERVE_SECONDS: Final = 6.0
"""Kept back of the function's time to answer CodeDeploy in; no more than two fifths of it."""
MARGIN_SECONDS: Final = 0.3
"""Nothing is begun or waited for in the last moments before Lambda stops the function."""
UNKNOWN_REMAINING_SECONDS: Final = 60.0

PATH_OF_HOOKS: Final = "/hooks/codedeploy"
PATH_OF_HINTS: Final = "/events/codedeploy"
STATE_CHANGE: Final = "CodeDeploy Deployment State-change Notification"
TAKEN: Final = frozenset({200, 202})
TRY_AGAIN: Final = frozenset({408, 429})
UNAUTHORIZED: Final = 401
ALREADY_COMPLETED: Final = "LifecycleEventAlreadyCompletedException"
NOT_FOUND: Final = "DeploymentDoesNotExistException"
ROLLBACK_CREATORS: Final = frozenset({"codeDeployRollback", "CloudFormationRollback"})
SETUP_ERRORS: Final = frozenset(
    {
        "ImportError",
        "InvalidRegionError",
        "ModuleNotFoundError",
        "NoCredentialsError",
        "NoRegionError",
        "ParamValidationError",
        "PartialCredentialsError",
        "ValueError",
    }
)
PASSING_ERRORS: Final = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestTimeout",
    }
)

HOOKABLE: Final = frozenset(
    {"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}
)
KID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
PATH: Final = re.compile(r"[A-Za-z0-9._~/-]*")
ERROR_CODE: Final = re.compile(r"[a-z_]{1,40}")
ARN: Final = re.compile(r"arn:[a-z-]+:lambda:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):function:.+")

Json = dict[str, Any]
T = TypeVar("T")


def handler(event: object, context: object) -> Json:
    """Lambda's entry point."""
    return handle(event, context, env=os.environ)


class MalformedEvent(Exception):
    """The event is not what CodeDeploy sends to a hook, so there is nobody to answer."""


class NotForwarded(Exception):
    """Switchgate did not take the hook. `reason` is one word for machines, the message is for people."""

    def __init__(self, reason: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.reason = reason
        self.facts = facts


class AutomaticRollback(Exception):
    """The deployment is an automatic rollback, made by `creator`. It does not wait for Switchgate."""

    def __init__(self, creator: str) -> None:
        super().__init__(creator)
        self.creator = creator


class CodeDeployNotTold(Exception):
    """CodeDeploy could not be told. Its own words are left out: they may quote the execution id."""


class AwsError(Exception):
    """An AWS call failed. The message is AWS's error code or the exception's type, never AWS's own words."""

    def __init__(self, problem: str, *, passing: bool) -> None:
        super().__init__(problem)
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Hook:
    """One lifecycle hook execution, as CodeDeploy names it. `execution` is a secret."""

    deployment: str
    execution: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """Where hooks go: the service's base URL in parts; `path` is the whole path that is requested and signed."""

    secure: bool
    host: str
    port: int | None
    path: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the signature."""

    kid: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a try ended. `status` is None where no HTTP answer came; `problem` quotes nothing of the request."""

    status: int | None
    problem: str
    tries: int

    def is_final(self) -> bool:
        """Whether asking again cannot change it. A redirect is final: its target is not who we signed for."""
        return self.status is not None and self.status < 500 and self.status not in TRY_AGAIN


@dataclass(frozen=True, slots=True)
class Run:
    """What one invocation has at hand. `left()`: seconds until Lambda stops the function; `reserve` seconds of them
    are kept to answer CodeDeploy in."""

    env: Mapping[str, str]
    account: str | None
    region: str | None
    left: Callable[[], float]
    reserve: float
    first_try: float
    sleep: Callable[[float], None]
    now: Callable[[], float]
    say: Callable[..., None]

    def to_forward(self) -> float:
        """Seconds left for Switchgate."""
        return self.left() - self.reserve

    def to_look(self) -> float:
        """Seconds left to ask who made the deployment. Half of the reserve is kept for the answer."""
        return self.left() - self.reserve / 2

    def to_answer(self) -> float:
        """Seconds left for CodeDeploy's answer."""
        return self.left() - MARGIN_SECONDS


def handle(
    event: object,
    context: object,
    *,
    env: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
    write: Callable[[str], None] | None = None,
) -> Json:
    """Forwards one hook; safe to call from several threads. Raises `CodeDeployNotTold`.

    Returns {"outcome": "forwarded", "status", "tries"}, {"outcome": "rollback_passed", "creator", "codedeploy"},
    {"outcome": "failed_closed", "reason", "codedeploy"} or {"outcome": "ignored", "reason"}. `write` takes the log's
    lines, JSON each; default standard output.
    """
    write = write or _write
    if is_state_change(event):
        return pass_on(event, _run(context, env, sleep, now, _teller(write)))
    try:
        hook = read_event(event)
    except MalformedEvent as exc:
        write(_line("error", "event_ignored", why=str(exc)))
        return {"outcome": "ignored", "reason": str(exc)}
    mark = hashlib.sha256(_bytes(hook.execution)).hexdigest()[:12]

    def say(level: str, what: str, **facts: object) -> None:
        write(_line(level, what, deployment=hook.deployment[:64], execution_sha256=mark, **facts))

    run = _run(context, env, sleep, now, say)
    return deliver(hook, run, CodeDeploy(hook, run))


def _run(
    context: object,
    env: Mapping[str, str],
    sleep: Callable[[float], None],
    now: Callable[[], float],
    say: Callable[..., None],
) -> Run:
    account, region = _place(context, env)
    left = _countdown(context)
    whole = left()
    reserve, first_try = min(RESERVE_SECONDS, whole * 0.4), min(FIRST_TRY_SECONDS, whole / 4)
    return Run(env, account, region, left, reserve, first_try, sleep, now, say)


def deliver(hook: Hook, run: Run, codedeploy: "CodeDeploy") -> Json:
    """Has Switchgate take the hook, or answers CodeDeploy in its place. Raises `CodeDeployNotTold`."""
    try:
        try:
            done = forward(hook, run, look=codedeploy.look_for_rollback)
        except NotForwarded as exc:
            run.say("error", "hook_not_forwarded", reason=exc.reason, why=str(exc), **exc.facts)
            codedeploy.look_for_rollback_persistently()
            return {
                "outcome": "failed_closed",
                "reason": exc.reason,
                "codedeploy": codedeploy.answer("Failed"),
            }
    except AutomaticRollback as rollback:
        run.say("warning", "rollback_passes_without_switchgate", creator=rollback.creator)
        told = codedeploy.answer("Succeeded")
        return {"outcome": "rollback_passed", "creator": rollback.creator, "codedeploy": told}
    run.say("info", "hook_forwarded", **done)
    return {"outcome": "forwarded", **done}


def read_event(event: object) -> Hook:
    """The two keys of CodeDeploy's event; others are passed over. Raises `MalformedEvent`, naming the key."""
    if not isinstance(event, Mapping):
        raise MalformedEvent(f"the event is not an object but {type(event).__name__}")
    for name in ("DeploymentId", "LifecycleEventHookExecutionId"):
        value = event.get(name)
        if not isinstance(value, str) or not value:
            raise MalformedEvent(f"{name} is missing, empty or not a text; is this a CodeDeploy hook?")
    return Hook(event["DeploymentId"], event["LifecycleEventHookExecutionId"])


# ---- state changes: hints, for which nobody waits


def is_state_change(event: object) -> bool:
    """Whether EventBridge sent it (a rule on source aws.codedeploy may have this same function as its target)."""
    return isinstance(event, Mapping) and event.get("detail-type") == STATE_CHANGE


def pass_on(event: object, run: Run) -> Json:
    """Forwards an EventBridge state change. Lost hints change nothing but speed, so nothing is raised."""
    try:
        target = read_target(run.env, PATH_OF_HINTS)
        answer = _ask(target, find_key(run), json.dumps(event).encode(), run, tries=HINT_TRIES)
    except NotForwarded as exc:
        run.say("error", "hint_not_forwarded", reason=exc.reason, why=str(exc))
        return {"outcome": "ignored", "reason": str(exc)}
    if answer.status in TAKEN:
        return {"outcome": "hinted", "status": answer.status, "tries": answer.tries}
    run.say("warning", "hint_not_forwarded", status=answer.status, problem=answer.problem)
    return {"outcome": "ignored", "reason": answer.problem}


# ---- forwarding


def forward(hook: Hook, run: Run, *, look: Callable[[], None]) -> Json:
    """POSTs the hook until Switchgate takes it. Gives the status and the number of tries.

    `look` is called after each failed try and may raise. Raises `NotForwarded` when Switchgate refuses for good, or
    when the time for it is over.
    """
    target = read_target(run.env)
    body = _body(hook, run)
    key = _find_key_persistently(run, look=look)
    answer = _ask(target, key, body, run, look=look)
    if answer.status == UNAUTHORIZED and (renewed := renew_key(key, run)) is not None:
        answer = _ask(target, renewed, body, run, made=answer.tries, look=look)
    facts = {"status": answer.status, "tries": answer.tries}
    if answer.status in TAKEN:
        return facts
    if answer.is_final():
        raise NotForwarded("refused", f"Switchgate refuses it for good: {answer.problem}", **facts)
    raise NotForwarded("unreachable", f"Switchgate did not take it: {answer.problem}", **facts)


def _body(hook: Hook, run: Run) -> bytes:
    name = run.env.get("HOOK_NAME") or "BeforeAllowTraffic"
    if name not in HOOKABLE:
        raise NotForwarded("misconfigured", f"HOOK_NAME: must be one of {', '.join(sorted(HOOKABLE))}")
    told = {
        "DeploymentId": hook.deployment,
        "LifecycleEventHookExecutionId": hook.execution,
        "HookName": name,
        "AccountId": run.account,
        "Region": run.region,
    }
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


def _ask(
    target: Target,
    key: Key,
    body: bytes,
    run: Run,
    *,
    made: int = 0,
    tries: int | None = None,
    look: Callable[[], None] = lambda: None,
) -> Answer:
    """Tries (`tries` times; None: while there is time) until Switchgate takes it or refuses it for good.

    Repeating is safe: the service opens one gate.
    """
    answer = Answer(None, "no time was left for a try; give the function a time-out of 60 s", made)
    for attempt in itertools.count(1) if tries is None else range(1, tries + 1):
        within = min(run.to_forward(), run.first_try if made + attempt == 1 else TRY_SECONDS)
        if within <= 0:
            break
        headers = signed(key, path=target.path, body=body, timestamp=int(run.now()))
        answer = _try(target, headers, body, within=within, number=made + attempt)
        if answer.is_final():
            break
        run.say("warning", "try_failed", attempt=answer.tries, status=answer.status, problem=answer.problem)
        look()
        if attempt != tries:
            _back_off(attempt, run)
    return answer


def _back_off(attempt: int, run: Run) -> None:
    run.sleep(max(0.0, min(_spread(BACK_OFF_SECONDS, attempt), run.to_forward())))


def _spread(first: float, attempt: int) -> float:
    doubled = min(first * float(2 ** min(attempt - 1, 10)), MAX_BACK_OFF_SECONDS)
    return doubled * random.SystemRandom().uniform(0.5, 1.5)


def signed(key: Key, *, path: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The headers of a signed POST, as Switchgate verifies them."""
    text = f"v1:{timestamp}:POST:{path}:{hashlib.sha256(body).hexdigest()}"
    return {
        "Content-Type": "application/json",
        "User-Agent": "switchgate-hook/1",
        "X-Switchgate-Key": key.kid,
        "X-Switchgate-Timestamp": str(timestamp),
        "X-Switchgate-Signature": f"v1={hmac.new(_bytes(key.secret), text.encode(), hashlib.sha256).hexdigest()}",
    }


# ---- one try


def _try(target: Target, headers: dict[str, str], body: bytes, *, within: float, number: int) -> Answer:
    try:
        status, code = _post(target, headers, body, within=within)
    except (OSError, http.client.HTTPException, ValueError) as exc:  # ValueError: a host beyond IDNA
        return Answer(None, _problem(exc), number)
    return Answer(status, f"HTTP {status} {code}".rstrip(), number)


def _post(target: Target, headers: dict[str, str], body: bytes, *, within: float) -> tuple[int, str]:
    """The answer's status and error code. Raises `TimeoutError` after `within` seconds."""
    connection = _connection(target, timeout=min(CONNECT_SECONDS, within))

    def exchange() -> tuple[int, str]:
        try:
            connection.connect()
            connection.sock.settimeout(within)
            connection.request("POST", target.path, body, headers)
            response = connection.getresponse()
            return response.status, "" if response.status in TAKEN else _error_code(response)
        finally:
            connection.close()

    try:
        return _within(within, exchange)
    except TimeoutError:
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)
        raise


def _within(seconds: float, work: Callable[[], T]) -> T:
    """The result of `work`. Raises `TimeoutError` after so many seconds, whatever the other side does.

    The time-outs of a socket hold for each single step of it: a slow name server, several addresses that do not
    answer, or a byte every now and then would outlast the function. So the work is waited for, not joined.
    """
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as exc:
            result.set_exception(exc)

    threading.Thread(target=run, name="switchgate-hook", daemon=True).start()
    return result.result(max(0.0, seconds))


def _connection(target: Target, *, timeout: float) -> http.client.HTTPConnection:
    if not target.secure:
        return http.client.HTTPConnection(target.host, target.port, timeout=timeout)
    # A private authority: name its certificate file in SSL_CERT_FILE.
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(target.host, target.port, timeout=timeout, context=context)


def _error_code(response: http.client.HTTPResponse) -> str:
    """The `error` word of Switchgate's refusals; nothing else of a body that anybody may have written."""
    with suppress(OSError, http.client.HTTPException, ValueError, AttributeError, TypeError):
        code = json.loads(response.read(4096)).get("error")
        return code if ERROR_CODE.fullmatch(code) else ""
    return ""


def _problem(exc: Exception) -> str:
    """What went wrong, without the text of protocol errors: it quotes what the other side sent."""
    name = type(exc).__name__
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"{name}: {exc.verify_message}"
    if isinstance(exc, OSError) and exc.strerror:
        return f"{name}: {exc.strerror}"
    return name


# ---- the environment


def read_target(env: Mapping[str, str], endpoint_path: str = PATH_OF_HOOKS) -> Target:
    """The service's address. Raises `NotForwarded`; the value itself is not repeated."""
    url = env.get("SWITCHGATE_URL", "").strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_url("is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
        raise _bad_url("is missing or is not an http(s) URL")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise _bad_url("must begin with https://; plain http is for loopback only")
    if parts.username is not None or parts.query or parts.fragment or not PATH.fullmatch(parts.path):
        raise _bad_url("may hold scheme, host, port and a plain path only")
    path = parts.path.rstrip("/") + endpoint_path
    return Target(secure=parts.scheme == "https", host=parts.hostname, port=port, path=path)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bad_url(what: str) -> NotForwarded:
    return NotForwarded(
        "misconfigured", f"SWITCHGATE_URL {what}; set it to https://switchgate.internal or the like"
    )


def find_key(run: Run) -> Key:
    """The signing key, from the environment or Secrets Manager (kept between invocations). Raises `NotForwarded`."""
    plain = run.env.get("SWITCHGATE_HOOK_SECRET", "").strip()
    if plain:
        return _key(run.env.get("SWITCHGATE_HOOK_KEY_ID", ""), plain, where="SWITCHGATE_HOOK_SECRET")
    arn = run.env.get("SWITCHGATE_HOOK_SECRET_ARN", "").strip()
    if not arn:
        raise NotForwarded(
            "misconfigured", "SWITCHGATE_HOOK_SECRET (or SWITCHGATE_HOOK_SECRET_ARN) is missing or empty"
        )
    kept = _kept_keys.get(_place_of_secret(run))
    return kept if kept is not None else _fetch_key(arn, run)


def _find_key_persistently(run: Run, *, look: Callable[[], None]) -> Key:
    """The same, asked again while Secrets Manager is only away for a moment. Raises `NotForwarded`."""
    for attempt in itertools.count(1):
        try:
            return find_key(run)
        except NotForwarded as exc:
            if not exc.facts.get("passing") or run.to_forward() <= 0:
                raise
            run.say("warning", "key_not_read", why=str(exc), problem=exc.facts["problem"])
        look()
        _back_off(attempt, run)
    raise AssertionError("unreachable")


def renew_key(refused: Key, run: Run) -> Key | None:
    """Another key than the refused one, where Secrets Manager holds one by now; it may have been rotated."""
    if run.env.get("SWITCHGATE_HOOK_SECRET", "").strip():
        return None
    try:
        key = _fetch_key(run.env["SWITCHGATE_HOOK_SECRET_ARN"].strip(), run)
    except NotForwarded as exc:
        run.say("warning", "key_not_renewed", reason=exc.reason, why=str(exc), **exc.facts)
        return None
    return key if key != refused else None


_kept_keys: dict[tuple[str, ...], Key] = {}


def _place_of_secret(run: Run) -> tuple[str, ...]:
    names = ("SWITCHGATE_HOOK_SECRET_ARN", "SWITCHGATE_HOOK_KEY_ID", "AWS_ENDPOINT_URL_SECRETS_MANAGER")
    return tuple(run.env.get(name, "") for name in names)


def _fetch_key(arn: str, run: Run) -> Key:
    def read() -> str:
        answer: Json = _client("secretsmanager", run).get_secret_value(SecretId=arn)
        return str(answer.get("SecretString", ""))

    try:
        value = _call_aws(read, within=min(AWS_TRY_SECONDS, run.to_forward()))
    except AwsError as exc:
        raise NotForwarded(
            "secret_unavailable",
            "SWITCHGATE_HOOK_SECRET_ARN cannot be read",
            problem=str(exc),
            passing=exc.passing,
        ) from None
    key = _read_secret(value.strip(), kid=run.env.get("SWITCHGATE_HOOK_KEY_ID", ""))
    _kept_keys[_place_of_secret(run)] = key
    return key


def _read_secret(value: str, *, kid: str) -> Key:
    where = "SWITCHGATE_HOOK_SECRET_ARN"
    if not value.startswith("{"):
        return _key(kid, value, where=where)
    try:
        told = json.loads(value)
    except ValueError:
        told = {}
    named, secret = told.get("kid", kid), told.get("secret")
    if not isinstance(named, str) or not isinstance(secret, str):
        raise NotForwarded("misconfigured", f'{where}: its JSON must be {{"kid": "...", "secret": "..."}}')
    return _key(named, secret.strip(), where=where)


def _key(kid: str, secret: str, *, where: str) -> Key:
    if not KID.fullmatch(kid.strip()):
        raise NotForwarded(
            "misconfigured", "SWITCHGATE_HOOK_KEY_ID is missing or has other signs than A-Z a-z 0-9 . _ -"
        )
    if not secret:
        raise NotForwarded("misconfigured", f"{where} holds an empty secret")
    return Key(kid.strip(), secret)


# ---- AWS


class CodeDeploy:
    """What one hook may ask of CodeDeploy and tell it. Every call fits into the function's remaining time."""

    def __init__(self, hook: Hook, run: Run) -> None:
        self._hook = hook
        self._run = run
        self._made: Any = None
        self._asked = 0
        self._settled = False

    def look_for_rollback(self) -> None:
        """Asks once who made the deployment, unless that is known. Raises `AutomaticRollback`."""
        self._look(within=self._run.to_forward())

    def look_for_rollback_persistently(self) -> None:
        """Asks before `Failed` is told, again while CodeDeploy is only away. Raises `AutomaticRollback`."""
        for attempt in itertools.count(1):
            if self._look(within=self._run.to_look()):
                return
            pause = min(_spread(AWS_BACK_OFF_SECONDS, attempt), self._run.to_look())
            if pause <= 0:
                return
            self._run.sleep(pause)

    def answer(self, status: Literal["Succeeded", "Failed"]) -> str:
        """Tells CodeDeploy: `told`, or `already_completed` by somebody else. Raises `CodeDeployNotTold`."""
        problem = "no time was left"
        for attempt in itertools.count(1):
            within = min(AWS_TRY_SECONDS, self._run.to_answer())
            if within <= 0:
                break
            try:
                _call_aws(lambda: self._put(status), within=within)
            except AwsError as exc:
                problem = str(exc)
                if problem == ALREADY_COMPLETED:
                    self._run.say("warning", "hook_already_completed")
                    return "already_completed"
                if not exc.passing:
                    break
                pause = min(_spread(AWS_BACK_OFF_SECONDS, attempt), self._run.to_answer())
                self._run.sleep(max(0.0, pause))
            else:
                self._run.say("warning", f"codedeploy_told_{status.lower()}")
                return "told"
        self._run.say("error", "codedeploy_not_told", status=status, problem=problem)
        raise CodeDeployNotTold(f"CodeDeploy was not told {status}: {problem}") from None

    def _look(self, *, within: float) -> bool:
        """Whether asking again would not help."""
        if self._settled or within <= 0:
            return self._settled
        self._asked += 1
        try:
            creator = _call_aws(self._creator, within=min(AWS_TRY_SECONDS, within))
        except AwsError as exc:
            # What was made a moment ago may not be found yet.
            self._settled = not exc.passing and (str(exc) != NOT_FOUND or self._asked >= 3)
            self._run.say("warning", "creator_not_read", problem=str(exc))
            return self._settled
        self._settled = True
        if creator in ROLLBACK_CREATORS:
            raise AutomaticRollback(creator)
        return True

    def _creator(self) -> str:
        answer: Json = self._boto().get_deployment(deploymentId=self._hook.deployment)
        return str(answer.get("deploymentInfo", {}).get("creator", ""))

    def _put(self, status: str) -> None:
        self._boto().put_lifecycle_event_hook_execution_status(
            deploymentId=self._hook.deployment,
            lifecycleEventHookExecutionId=self._hook.execution,
            status=status,
        )

    def _boto(self) -> Any:
        if self._made is None:
            self._made = _client("codedeploy", self._run)
        return self._made


def _call_aws(work: Callable[[], T], *, within: float) -> T:
    """The result of `work` within so many seconds. Raises `AwsError`."""
    try:
        return _within(within, work)
    except Exception as exc:
        problem = _aws_problem(exc)
        raise AwsError(problem, passing=_is_passing(exc, problem)) from None


def _client(service: Literal["codedeploy", "secretsmanager"], run: Run) -> Any:
    """A boto3 client that tries once: whether again is decided by the time that is left. Imported late: most runs
    need none."""
    import boto3
    from botocore.config import Config

    endpoint = (
        "AWS_ENDPOINT_URL_CODEDEPLOY" if service == "codedeploy" else "AWS_ENDPOINT_URL_SECRETS_MANAGER"
    )
    session = boto3.session.Session(
        aws_access_key_id=run.env.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=run.env.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=run.env.get("AWS_SESSION_TOKEN"),
        region_name=run.region,
    )
    config = Config(
        connect_timeout=AWS_CONNECT_SECONDS,
        read_timeout=AWS_TRY_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return session.client(service, config=config, endpoint_url=run.env.get(endpoint))


def _aws_problem(exc: Exception) -> str:
    """AWS's error code, or the type of what went wrong; no message, for it may quote the execution id."""
    answer = getattr(exc, "response", None)
    code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    return str(code)[:80] if code else type(exc).__name__


def _is_passing(exc: Exception, problem: str) -> bool:
    """Whether asking again may help: throttled, failing or silent. What AWS says of the request itself stays."""
    answer = getattr(exc, "response", None)
    if not isinstance(answer, dict):
        return problem not in SETUP_ERRORS
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or problem in PASSING_ERRORS


# ---- the function's surroundings


def _place(context: object, env: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Account and region, by the function's own ARN; the region else by the environment."""
    arn = ARN.fullmatch(str(getattr(context, "invoked_function_arn", "")))
    if arn is not None:
        return arn["account"], arn["region"]
    return None, env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or None


def _countdown(context: object) -> Callable[[], float]:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if callable(remaining):
        return lambda: float(remaining()) / 1000
    end = time.monotonic() + UNKNOWN_REMAINING_SECONDS
    return lambda: end - time.monotonic()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _line(level: str, what: str, **facts: object) -> str:
    return json.dumps({"level": level, "event": what, **facts}, default=str)


def _teller(write: Callable[[str], None]) -> Callable[..., None]:
    def say(level: str, what: str, **facts: object) -> None:
        write(_line(level, what, **facts))

    return say


def _write(line: str) -> None:
    # One write, so that lines of several threads do not run into each other.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
