"""Forwards a CodeDeploy lifecycle hook to Switchgate and returns at once. Switchgate answers CodeDeploy later.

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
forwarded, so that Switchgate notices the end of a deployment at once. Nothing depends on them.

When Switchgate does not accept the hook, the function retries until its time is nearly over. After the first failed
attempt it asks CodeDeploy who created the deployment: an automatic rollback (creator codeDeployRollback or
CloudFormationRollback) is answered `Succeeded` at once, because a rollback must never wait for Switchgate. Any other
hook that Switchgate refuses, or has not accepted by the end, is answered `Failed`: a hook without an answer holds its
deployment for an hour. Without codedeploy:GetDeployment a rollback is not recognised and is answered `Failed`, too.
All of this ends before the function's own timeout. When CodeDeploy cannot be answered either, the function raises;
put an alarm on the function's Errors.
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
ATTEMPT_SECONDS: Final = 10.0
"""For one request to Switchgate, from the connection to the response."""

FIRST_ATTEMPT_SECONDS: Final = 5.0
"""For the first request: shorter, because a rollback waits for it."""

FIRST_ATTEMPT_SHARE: Final = 1 / 4
"""Of the function's time: the first request takes no longer than this."""

AWS_CONNECT_SECONDS: Final = 2.0
AWS_CALL_SECONDS: Final = 3.0
"""For one call to AWS, from the connection to the response."""

MAX_STATE_CHANGE_ATTEMPTS: Final = 3
FIRST_BACKOFF_SECONDS: Final = 0.5
"""Before the second request; doubled before each further one, and varied by half."""

MAX_BACKOFF_SECONDS: Final = 4.0
AWS_FIRST_BACKOFF_SECONDS: Final = 0.2
MAX_RESERVE_SECONDS: Final = 6.0
"""Kept of the function's time to answer CodeDeploy."""

RESERVE_SHARE: Final = 0.4
"""Of the function's time: the reserve is no longer than this."""

MARGIN_SECONDS: Final = 0.3
"""Nothing is started in the last moments before Lambda stops the function."""

DEFAULT_TIMEOUT_SECONDS: Final = 60.0
"""Where the context does not tell the remaining time."""

MAX_CREATOR_LOOKUPS: Final = 3
"""For a deployment that CodeDeploy does not know (yet)."""

HOOK_PATH: Final = "/hooks/codedeploy"
STATE_CHANGE_PATH: Final = "/events/codedeploy"
STATE_CHANGE_DETAIL_TYPE: Final = "CodeDeploy Deployment State-change Notification"
ACCEPTED_STATUSES: Final = frozenset({200, 202})
RETRYABLE_STATUSES: Final = frozenset({408, 429})
UNAUTHORIZED: Final = 401
ALREADY_COMPLETED: Final = "LifecycleEventAlreadyCompletedException"
NOT_FOUND: Final = "DeploymentDoesNotExistException"
ROLLBACK_CREATORS: Final = frozenset({"codeDeployRollback", "CloudFormationRollback"})
SETUP_ERRORS: Final = frozenset(
    {"ImportError", "InvalidRegionError", "ModuleNotFoundError", "NoCredentialsError", "NoRegionError"}
    | {"ParamValidationError", "PartialCredentialsError", "ValueError"}
)
RETRYABLE_ERRORS: Final = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
    | {"RequestTimeout"}
)

HOOK_EVENTS: Final = frozenset(
    {"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}
)
KEY_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
URL_PATH_PATTERN: Final = re.compile(r"[A-Za-z0-9._~/-]*")
ERROR_CODE_PATTERN: Final = re.compile(r"[a-z_]{1,40}")
FUNCTION_ARN_PATTERN: Final = re.compile(
    r"arn:[a-z-]+:lambda:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):function:.+"
)

Json = dict[str, Any]
T = TypeVar("T")


def handler(event: object, context: object) -> Json:
    """Lambda's entry point."""
    return handle(event, context, env=os.environ)


class MalformedEvent(Exception):
    """The event is not a CodeDeploy hook, so there is no hook execution to answer."""


class NotForwarded(Exception):
    """Switchgate did not accept the hook. `reason` is for machines, the message for people."""

    def __init__(self, reason: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.reason = reason
        self.facts = facts


class AutomaticRollback(Exception):
    """The deployment is an automatic rollback, created by `creator`. It must not wait for Switchgate."""

    def __init__(self, creator: str) -> None:
        super().__init__(creator)
        self.creator = creator


class CodeDeployNotAnswered(Exception):
    """The hook could not be answered. AWS's message is left out: it may quote the execution id."""


class AwsError(Exception):
    """An AWS call failed. The message is AWS's error code or the exception's type, never AWS's message."""

    def __init__(self, problem: str, *, retryable: bool) -> None:
        super().__init__(problem)
        self.retryable = retryable


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
    """How a request ended. `status` is None without an HTTP response; `problem` quotes nothing of the request."""

    status: int | None
    problem: str
    tries: int

    def is_final(self) -> bool:
        """Whether a retry cannot change it. A redirect is final: the request is not signed for its target."""
        return self.status is not None and self.status < 500 and self.status not in RETRYABLE_STATUSES


@dataclass(frozen=True, slots=True)
class Invocation:
    """The environment, the clock and the log of one invocation.

    `remaining()`: seconds until Lambda stops the function; `reserve` of them are kept to answer CodeDeploy.
    """

    env: Mapping[str, str]
    account: str | None
    region: str | None
    remaining: Callable[[], float]
    reserve: float
    first_attempt: float
    sleep: Callable[[float], None]
    now: Callable[[], float]
    log: Callable[..., None]

    def forward_seconds(self) -> float:
        """How long requests to Switchgate may still take."""
        return self.remaining() - self.reserve

    def lookup_seconds(self) -> float:
        """How long asking who created the deployment may take. Half of the reserve is kept for the answer."""
        return self.remaining() - self.reserve / 2

    def answer_seconds(self) -> float:
        """How long answering CodeDeploy may still take."""
        return self.remaining() - MARGIN_SECONDS


def handle(
    event: object,
    context: object,
    *,
    env: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
    write: Callable[[str], None] | None = None,
) -> Json:
    """Forwards one hook; safe to call from several threads. Raises `CodeDeployNotAnswered`.

    Returns {"outcome": "forwarded", "status", "tries"}, {"outcome": "rollback_passed", "creator", "codedeploy"},
    {"outcome": "failed_closed", "reason", "codedeploy"} or {"outcome": "ignored", "reason"}. `write` takes the log's
    lines, JSON each; default standard output.
    """
    write = write or _write
    if is_state_change(event):
        return forward_state_change(event, _invocation(context, env, sleep, now, _logger(write)))
    try:
        hook = read_event(event)
    except MalformedEvent as exc:
        _logger(write)("error", "event_ignored", why=str(exc))
        return {"outcome": "ignored", "reason": str(exc)}
    execution_hash = hashlib.sha256(_bytes(hook.execution)).hexdigest()[:12]
    log = _logger(write, deployment=hook.deployment[:64], execution_sha256=execution_hash)
    invocation = _invocation(context, env, sleep, now, log)
    return forward_or_answer(hook, invocation, CodeDeploy(hook, invocation))


def _invocation(
    context: object,
    env: Mapping[str, str],
    sleep: Callable[[float], None],
    now: Callable[[], float],
    log: Callable[..., None],
) -> Invocation:
    account, region = _account_and_region(context, env)
    remaining = _remaining_seconds(context)
    timeout = remaining()
    reserve = min(MAX_RESERVE_SECONDS, timeout * RESERVE_SHARE)
    first_attempt = min(FIRST_ATTEMPT_SECONDS, timeout * FIRST_ATTEMPT_SHARE)
    return Invocation(env, account, region, remaining, reserve, first_attempt, sleep, now, log)


def forward_or_answer(hook: Hook, invocation: Invocation, codedeploy: "CodeDeploy") -> Json:
    """Forwards the hook to Switchgate, or else answers CodeDeploy itself. Raises `CodeDeployNotAnswered`."""
    try:
        try:
            done = forward(hook, invocation, after_failure=codedeploy.detect_rollback)
        except NotForwarded as exc:
            invocation.log("error", "hook_not_forwarded", reason=exc.reason, why=str(exc), **exc.facts)
            codedeploy.detect_rollback_before_failing()
            return {
                "outcome": "failed_closed",
                "reason": exc.reason,
                "codedeploy": codedeploy.answer("Failed"),
            }
    except AutomaticRollback as exc:
        invocation.log("warning", "rollback_passes_without_switchgate", creator=exc.creator)
        answered = codedeploy.answer("Succeeded")
        return {"outcome": "rollback_passed", "creator": exc.creator, "codedeploy": answered}
    invocation.log("info", "hook_forwarded", **done)
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


# ---- EventBridge state changes


def is_state_change(event: object) -> bool:
    """Whether EventBridge sent it (a rule on source aws.codedeploy may have this same function as its target)."""
    return isinstance(event, Mapping) and event.get("detail-type") == STATE_CHANGE_DETAIL_TYPE


def forward_state_change(event: object, invocation: Invocation) -> Json:
    """Forwards an EventBridge state change. Nothing depends on it, so nothing is raised."""
    try:
        target = read_target(invocation.env, STATE_CHANGE_PATH)
        key, body = find_key(invocation), json.dumps(event).encode()
        answer = _post_until_final(target, key, body, invocation, tries=MAX_STATE_CHANGE_ATTEMPTS)
    except NotForwarded as exc:
        invocation.log("error", "hint_not_forwarded", reason=exc.reason, why=str(exc))
        return {"outcome": "ignored", "reason": str(exc)}
    if answer.status in ACCEPTED_STATUSES:
        return {"outcome": "hinted", "status": answer.status, "tries": answer.tries}
    invocation.log("warning", "hint_not_forwarded", status=answer.status, problem=answer.problem)
    return {"outcome": "ignored", "reason": answer.problem}


# ---- forwarding the hook


def forward(hook: Hook, invocation: Invocation, *, after_failure: Callable[[], None]) -> Json:
    """POSTs the hook until Switchgate accepts it. Returns the status and the number of attempts.

    `after_failure` is called after each failed attempt and may raise. Raises `NotForwarded` when Switchgate refuses the
    hook for good, or when no time is left.
    """
    target = read_target(invocation.env)
    body = _body(hook, invocation)
    key = _find_key_with_retries(invocation, after_failure=after_failure)
    answer = _post_until_final(target, key, body, invocation, after_failure=after_failure)
    if answer.status == UNAUTHORIZED and (renewed := renew_key(key, invocation)) is not None:
        answer = _post_until_final(
            target, renewed, body, invocation, attempts=answer.tries, after_failure=after_failure
        )
    facts = {"status": answer.status, "tries": answer.tries}
    if answer.status in ACCEPTED_STATUSES:
        return facts
    if answer.is_final():
        raise NotForwarded("refused", f"Switchgate refuses it for good: {answer.problem}", **facts)
    raise NotForwarded("unreachable", f"Switchgate did not take it: {answer.problem}", **facts)


def _body(hook: Hook, invocation: Invocation) -> bytes:
    name = invocation.env.get("HOOK_NAME") or "BeforeAllowTraffic"
    if name not in HOOK_EVENTS:
        raise NotForwarded("misconfigured", f"HOOK_NAME: must be one of {', '.join(sorted(HOOK_EVENTS))}")
    payload = {
        "DeploymentId": hook.deployment,
        "LifecycleEventHookExecutionId": hook.execution,
        "HookName": name,
        "AccountId": invocation.account,
        "Region": invocation.region,
    }
    return json.dumps({name: value for name, value in payload.items() if value is not None}).encode()


def _post_until_final(
    target: Target,
    key: Key,
    body: bytes,
    invocation: Invocation,
    *,
    attempts: int = 0,
    tries: int | None = None,
    after_failure: Callable[[], None] = lambda: None,
) -> Answer:
    """Sends requests (at most `tries`; None: while there is time) until one is accepted or refused for good.

    Repeating is safe: the service opens one gate for one hook execution.
    """
    answer = Answer(None, "no time was left for a try; give the function a time-out of 60 s", attempts)
    for attempt in itertools.count(1) if tries is None else range(1, tries + 1):
        limit = invocation.first_attempt if attempts + attempt == 1 else ATTEMPT_SECONDS
        within = min(invocation.forward_seconds(), limit)
        if within <= 0:
            break
        headers = signed(key, path=target.path, body=body, timestamp=int(invocation.now()))
        answer = _attempt(target, headers, body, within=within, number=attempts + attempt)
        if answer.is_final():
            break
        invocation.log(
            "warning", "try_failed", attempt=answer.tries, status=answer.status, problem=answer.problem
        )
        after_failure()
        if attempt != tries:
            _wait_before_retry(attempt, invocation)
    return answer


def _wait_before_retry(attempt: int, invocation: Invocation) -> None:
    invocation.sleep(max(0.0, min(_backoff(FIRST_BACKOFF_SECONDS, attempt), invocation.forward_seconds())))


def _backoff(first: float, attempt: int) -> float:
    doubled = min(first * float(2 ** min(attempt - 1, 10)), MAX_BACKOFF_SECONDS)
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


# ---- one HTTP request


def _attempt(target: Target, headers: dict[str, str], body: bytes, *, within: float, number: int) -> Answer:
    try:
        status, code = _post_once(target, headers, body, within=within)
    except (OSError, http.client.HTTPException, ValueError) as exc:  # ValueError: a host beyond IDNA
        return Answer(None, _describe_error(exc), number)
    return Answer(status, f"HTTP {status} {code}".rstrip(), number)


def _post_once(target: Target, headers: dict[str, str], body: bytes, *, within: float) -> tuple[int, str]:
    """The answer's status and error code. Raises `TimeoutError` after `within` seconds."""
    connection = _connection(target, timeout=min(CONNECT_SECONDS, within))

    def exchange() -> tuple[int, str]:
        try:
            connection.connect()
            connection.sock.settimeout(within)
            connection.request("POST", target.path, body, headers)
            response = connection.getresponse()
            return response.status, "" if response.status in ACCEPTED_STATUSES else _error_code(response)
        finally:
            connection.close()

    try:
        return _call_with_timeout(within, exchange)
    except TimeoutError:
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)
        raise


def _call_with_timeout(seconds: float, work: Callable[[], T]) -> T:
    """The result of `work`, run in a thread. Raises `TimeoutError` after `seconds`, even if the thread goes on.

    A socket's timeout applies to each single operation: a slow name server, several addresses that do not answer, or
    a byte now and then would exceed the function's time.
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
    """The `error` member of Switchgate's response; nothing else of the body is used."""
    with suppress(OSError, http.client.HTTPException, ValueError, AttributeError, TypeError):
        code = json.loads(response.read(4096)).get("error")
        return code if ERROR_CODE_PATTERN.fullmatch(code) else ""
    return ""


def _describe_error(exc: Exception) -> str:
    """The error, without the text of protocol errors, which quotes what the other side sent."""
    name = type(exc).__name__
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"{name}: {exc.verify_message}"
    if isinstance(exc, OSError) and exc.strerror:
        return f"{name}: {exc.strerror}"
    return name


# ---- configuration: the service's URL and the signing key


def read_target(env: Mapping[str, str], endpoint_path: str = HOOK_PATH) -> Target:
    """The service's address. Raises `NotForwarded`; the value itself is not repeated."""
    url = env.get("SWITCHGATE_URL", "").strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid_url("is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
        raise _invalid_url("is missing or is not an http(s) URL")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise _invalid_url("must begin with https://; plain http is for loopback only")
    has_more = parts.username is not None or parts.query or parts.fragment
    if has_more or not URL_PATH_PATTERN.fullmatch(parts.path):
        raise _invalid_url("may hold scheme, host, port and a plain path only")
    path = parts.path.rstrip("/") + endpoint_path
    return Target(secure=parts.scheme == "https", host=parts.hostname, port=port, path=path)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _invalid_url(what: str) -> NotForwarded:
    return NotForwarded(
        "misconfigured", f"SWITCHGATE_URL {what}; set it to https://switchgate.internal or the like"
    )


def find_key(invocation: Invocation) -> Key:
    """The signing key, from the environment or Secrets Manager (kept between invocations). Raises `NotForwarded`."""
    plain = invocation.env.get("SWITCHGATE_HOOK_SECRET", "").strip()
    if plain:
        return _key(invocation.env.get("SWITCHGATE_HOOK_KEY_ID", ""), plain, where="SWITCHGATE_HOOK_SECRET")
    arn = invocation.env.get("SWITCHGATE_HOOK_SECRET_ARN", "").strip()
    if not arn:
        raise NotForwarded(
            "misconfigured", "SWITCHGATE_HOOK_SECRET (or SWITCHGATE_HOOK_SECRET_ARN) is missing or empty"
        )
    kept = _cached_keys.get(_key_cache_key(invocation))
    return kept if kept is not None else _fetch_key(arn, invocation)


def _find_key_with_retries(invocation: Invocation, *, after_failure: Callable[[], None]) -> Key:
    """`find_key`, with retries while Secrets Manager is unavailable. Raises `NotForwarded`."""
    for attempt in itertools.count(1):
        try:
            return find_key(invocation)
        except NotForwarded as exc:
            if not exc.facts.get("retryable") or invocation.forward_seconds() <= 0:
                raise
            invocation.log("warning", "key_not_read", why=str(exc), problem=exc.facts["problem"])
        after_failure()
        _wait_before_retry(attempt, invocation)
    raise AssertionError("unreachable")


def renew_key(refused: Key, invocation: Invocation) -> Key | None:
    """The key in Secrets Manager if it is not the refused one, because it was rotated."""
    if invocation.env.get("SWITCHGATE_HOOK_SECRET", "").strip():
        return None
    try:
        key = _fetch_key(invocation.env["SWITCHGATE_HOOK_SECRET_ARN"].strip(), invocation)
    except NotForwarded as exc:
        invocation.log("warning", "key_not_renewed", reason=exc.reason, why=str(exc), **exc.facts)
        return None
    return key if key != refused else None


_cached_keys: dict[tuple[str, ...], Key] = {}


def _key_cache_key(invocation: Invocation) -> tuple[str, ...]:
    names = ("SWITCHGATE_HOOK_SECRET_ARN", "SWITCHGATE_HOOK_KEY_ID", "AWS_ENDPOINT_URL_SECRETS_MANAGER")
    return tuple(invocation.env.get(name, "") for name in names)


def _fetch_key(arn: str, invocation: Invocation) -> Key:
    def read() -> str:
        answer: Json = _client("secretsmanager", invocation).get_secret_value(SecretId=arn)
        return str(answer.get("SecretString", ""))

    try:
        value = _call_aws(read, within=min(AWS_CALL_SECONDS, invocation.forward_seconds()))
    except AwsError as exc:
        raise NotForwarded(
            "secret_unavailable",
            "SWITCHGATE_HOOK_SECRET_ARN cannot be read",
            problem=str(exc),
            retryable=exc.retryable,
        ) from None
    key = _read_secret(value.strip(), kid=invocation.env.get("SWITCHGATE_HOOK_KEY_ID", ""))
    _cached_keys[_key_cache_key(invocation)] = key
    return key


def _read_secret(value: str, *, kid: str) -> Key:
    where = "SWITCHGATE_HOOK_SECRET_ARN"
    if not value.startswith("{"):
        return _key(kid, value, where=where)
    try:
        secret_json = json.loads(value)
    except ValueError:
        secret_json = {}
    named, secret = secret_json.get("kid", kid), secret_json.get("secret")
    if not isinstance(named, str) or not isinstance(secret, str):
        raise NotForwarded("misconfigured", f'{where}: its JSON must be {{"kid": "...", "secret": "..."}}')
    return _key(named, secret.strip(), where=where)


def _key(kid: str, secret: str, *, where: str) -> Key:
    if not KEY_ID_PATTERN.fullmatch(kid.strip()):
        raise NotForwarded(
            "misconfigured", "SWITCHGATE_HOOK_KEY_ID is missing or has other signs than A-Z a-z 0-9 . _ -"
        )
    if not secret:
        raise NotForwarded("misconfigured", f"{where} holds an empty secret")
    return Key(kid.strip(), secret)


# ---- AWS


class CodeDeploy:
    """CodeDeploy's API for one hook. Every call ends within the function's remaining time."""

    def __init__(self, hook: Hook, invocation: Invocation) -> None:
        self._hook = hook
        self._invocation = invocation
        self._cached_client: Any = None
        self._lookups = 0
        self._creator_known = False

    def detect_rollback(self) -> None:
        """Asks CodeDeploy once who created the deployment. Raises `AutomaticRollback`."""
        self._read_creator(within=self._invocation.forward_seconds())

    def detect_rollback_before_failing(self) -> None:
        """Asks before `Failed` is answered, and again while CodeDeploy is unavailable. Raises `AutomaticRollback`."""
        for attempt in itertools.count(1):
            if self._read_creator(within=self._invocation.lookup_seconds()):
                return
            pause = min(_backoff(AWS_FIRST_BACKOFF_SECONDS, attempt), self._invocation.lookup_seconds())
            if pause <= 0:
                return
            self._invocation.sleep(pause)

    def answer(self, status: Literal["Succeeded", "Failed"]) -> str:
        """Answers the hook: `told`, or `already_completed` by somebody else. Raises `CodeDeployNotAnswered`."""
        problem = "no time was left"
        for attempt in itertools.count(1):
            within = min(AWS_CALL_SECONDS, self._invocation.answer_seconds())
            if within <= 0:
                break
            try:
                _call_aws(lambda: self._put(status), within=within)
            except AwsError as exc:
                problem = str(exc)
                if problem == ALREADY_COMPLETED:
                    self._invocation.log("warning", "hook_already_completed")
                    return "already_completed"
                if not exc.retryable:
                    break
                pause = min(_backoff(AWS_FIRST_BACKOFF_SECONDS, attempt), self._invocation.answer_seconds())
                self._invocation.sleep(max(0.0, pause))
            else:
                self._invocation.log("warning", f"codedeploy_told_{status.lower()}")
                return "told"
        self._invocation.log("error", "codedeploy_not_told", status=status, problem=problem)
        raise CodeDeployNotAnswered(f"CodeDeploy was not told {status}: {problem}") from None

    def _read_creator(self, *, within: float) -> bool:
        """Whether the creator is known, or asking again would not help."""
        if self._creator_known or within <= 0:
            return self._creator_known
        self._lookups += 1
        try:
            creator = _call_aws(self._creator, within=min(AWS_CALL_SECONDS, within))
        except AwsError as exc:
            # A new deployment may not be found yet.
            self._creator_known = not exc.retryable and (
                str(exc) != NOT_FOUND or self._lookups >= MAX_CREATOR_LOOKUPS
            )
            self._invocation.log("warning", "creator_not_read", problem=str(exc))
            return self._creator_known
        self._creator_known = True
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
        if self._cached_client is None:
            self._cached_client = _client("codedeploy", self._invocation)
        return self._cached_client


def _call_aws(work: Callable[[], T], *, within: float) -> T:
    """The result of `work` within so many seconds. Raises `AwsError`."""
    try:
        return _call_with_timeout(within, work)
    except Exception as exc:
        problem = _aws_error_code(exc)
        raise AwsError(problem, retryable=_is_retryable(exc, problem)) from None


def _client(service: Literal["codedeploy", "secretsmanager"], invocation: Invocation) -> Any:
    """A boto3 client without retries: the caller retries by the remaining time. Imported late: most invocations
    need none."""
    import boto3
    from botocore.config import Config

    endpoint = (
        "AWS_ENDPOINT_URL_CODEDEPLOY" if service == "codedeploy" else "AWS_ENDPOINT_URL_SECRETS_MANAGER"
    )
    session = boto3.session.Session(
        aws_access_key_id=invocation.env.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=invocation.env.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=invocation.env.get("AWS_SESSION_TOKEN"),
        region_name=invocation.region,
    )
    config = Config(
        connect_timeout=AWS_CONNECT_SECONDS,
        read_timeout=AWS_CALL_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return session.client(service, config=config, endpoint_url=invocation.env.get(endpoint))


def _aws_error_code(exc: Exception) -> str:
    """AWS's error code, or the exception's type; no message, because it may quote the execution id."""
    answer = getattr(exc, "response", None)
    code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    return str(code)[:80] if code else type(exc).__name__


def _is_retryable(exc: Exception, problem: str) -> bool:
    """Whether a retry may help: throttling, server errors, no response. Errors of the request itself stay."""
    answer = getattr(exc, "response", None)
    if not isinstance(answer, dict):
        return problem not in SETUP_ERRORS
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or problem in RETRYABLE_ERRORS


# ---- the Lambda context and the log


def _account_and_region(context: object, env: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Account and region, by the function's own ARN; else the region by the environment."""
    arn = FUNCTION_ARN_PATTERN.fullmatch(str(getattr(context, "invoked_function_arn", "")))
    if arn is not None:
        return arn["account"], arn["region"]
    return None, env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or None


def _remaining_seconds(context: object) -> Callable[[], float]:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if callable(remaining):
        return lambda: float(remaining()) / 1000
    end = time.monotonic() + DEFAULT_TIMEOUT_SECONDS
    return lambda: end - time.monotonic()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _logger(write: Callable[[str], None], **common: object) -> Callable[..., None]:
    def log(level: str, event: str, **facts: object) -> None:
        write(json.dumps({"level": level, "event": event, **common, **facts}, default=str))

    return log


def _write(line: str) -> None:
    # One write, so that lines of several threads do not run into each other.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
