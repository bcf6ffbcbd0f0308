"""Forwards a CodeDeploy lifecycle hook to Switchgate, and returns at once; people may take their time there.

Deploy: this one file is the whole function. It needs the standard library and the boto3 of Lambda's Python
runtime (3.11 or newer), nothing else. Handler `handler.handler`, time-out 60 s, memory 256 MB or more (importing
boto3 is slow with less). Name it as the AppSpec's `BeforeAllowTraffic` hook, by name or by ARN.

The function's name must start with `CodeDeployHook_`: the managed policies AWSCodeDeployRoleForECSLimited and
AWSCodeDeployRoleForLambda let CodeDeploy invoke `arn:aws:lambda:*:*:function:CodeDeployHook_*` and no others, and
a hook that CodeDeploy may not invoke fails the deployment.

IAM, the function's role: logs:CreateLogStream and logs:PutLogEvents on its log group;
codedeploy:PutLifecycleEventHookExecutionStatus on "*" (the action knows no resources);
secretsmanager:GetSecretValue on the one secret, where SWITCHGATE_HOOK_SECRET_ARN is used (and kms:Decrypt, where a
key of your own encrypts it); the usual network interface actions in a VPC. In a VPC it must also reach CodeDeploy
and Secrets Manager, by NAT or by endpoints: otherwise it cannot answer CodeDeploy when Switchgate is away.

Environment:
  SWITCHGATE_URL               base URL of the service, for example https://switchgate.internal
  SWITCHGATE_HOOK_KEY_ID       the key's name, as in the service's SWITCHGATE_HOOK_SECRETS
  SWITCHGATE_HOOK_SECRET       the key's secret, or
  SWITCHGATE_HOOK_SECRET_ARN   a Secrets Manager secret: the plain secret, or {"kid": "...", "secret": "..."}
  HOOK_NAME                    optional, the lifecycle event that this function hooks; default BeforeAllowTraffic

An EventBridge rule on {"source": ["aws.codedeploy"]} may have this same function as its target: state changes are
forwarded as hints, so that Switchgate notices endings at once. Nothing depends on them.

When Switchgate does not take the hook, the function answers CodeDeploy `Failed` itself: a hook that nobody answers
holds its deployment for an hour. When even that fails it raises; put an alarm on the function's Errors.
"""

import hashlib
import hmac
import http.client
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
from typing import Any, Final, Literal
from urllib.parse import urlsplit

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 10.0
TRIES: Final = 3
BACK_OFF_SECONDS: Final = 0.5
"""Before the second try, doubled before each further one; half as much again or as little, by chance."""
RESERVE_SECONDS: Final = 3.0
"""Kept back of the function's remaining time, to answer CodeDeploy `Failed` in."""
UNKNOWN_REMAINING_SECONDS: Final = 60.0

PATH_OF_HOOKS: Final = "/hooks/codedeploy"
PATH_OF_HINTS: Final = "/events/codedeploy"
STATE_CHANGE: Final = "CodeDeploy Deployment State-change Notification"
TAKEN: Final = frozenset({200, 202})
TRY_AGAIN: Final = frozenset({408, 429})
UNAUTHORIZED: Final = 401
ALREADY_COMPLETED: Final = "LifecycleEventAlreadyCompletedException"

HOOKABLE: Final = frozenset(
    {"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}
)
KID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
PATH: Final = re.compile(r"[A-Za-z0-9._~/-]*")
ERROR_CODE: Final = re.compile(r"[a-z_]{1,40}")
ARN: Final = re.compile(r"arn:[a-z-]+:lambda:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):function:.+")

Json = dict[str, Any]


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


class CodeDeployNotTold(Exception):
    """CodeDeploy could not be told `Failed`. Its own words are left out: they may quote the execution id."""


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
    """What one invocation has at hand. `left()` is in seconds, until Lambda stops the function."""

    env: Mapping[str, str]
    account: str | None
    region: str | None
    left: Callable[[], float]
    sleep: Callable[[float], None]
    now: Callable[[], float]
    say: Callable[..., None]


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

    Returns {"outcome": "forwarded", "status", "tries"}, {"outcome": "failed_closed", "reason", "codedeploy"} or
    {"outcome": "ignored", "reason"}. `write` takes the log's lines, JSON each; default standard output.
    """
    write = write or _write
    if is_state_change(event):
        return pass_on(event, context, Run(env, None, None, _countdown(context), sleep, now, _teller(write)))
    try:
        hook = read_event(event)
    except MalformedEvent as refusal:
        write(_line("error", "event_ignored", why=str(refusal)))
        return {"outcome": "ignored", "reason": str(refusal)}
    mark = hashlib.sha256(_bytes(hook.execution)).hexdigest()[:12]

    def say(level: str, what: str, **facts: object) -> None:
        write(_line(level, what, deployment=hook.deployment[:64], execution_sha256=mark, **facts))

    account, region = _place(context, env)
    run = Run(env, account, region, _countdown(context), sleep, now, say)
    try:
        done = forward(hook, run)
    except NotForwarded as refusal:
        say("error", "hook_not_forwarded", reason=refusal.reason, why=str(refusal), **refusal.facts)
        return {"outcome": "failed_closed", "reason": refusal.reason, "codedeploy": fail_closed(hook, run)}
    say("info", "hook_forwarded", **done)
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


def pass_on(event: object, context: object, run: Run) -> Json:
    """Forwards an EventBridge state change. Lost hints change nothing but speed, so nothing is raised."""
    try:
        target = read_target(run.env, PATH_OF_HINTS)
        answer = _ask(target, find_key(run), json.dumps(event).encode(), run, made=0)
    except NotForwarded as refusal:
        run.say("error", "hint_not_forwarded", reason=refusal.reason, why=str(refusal))
        return {"outcome": "ignored", "reason": str(refusal)}
    if answer.status in TAKEN:
        return {"outcome": "hinted", "status": answer.status, "tries": answer.tries}
    run.say("warning", "hint_not_forwarded", status=answer.status, problem=answer.problem)
    return {"outcome": "ignored", "reason": answer.problem}


# ---- forwarding


def forward(hook: Hook, run: Run) -> Json:
    """POSTs the hook until Switchgate takes it. Gives the status and the number of tries. Raises `NotForwarded`."""
    target = read_target(run.env)
    body = _body(hook, run)
    key = find_key(run)
    answer = _ask(target, key, body, run, made=0)
    if answer.status == UNAUTHORIZED and (renewed := renew_key(key, run)) is not None:
        answer = _ask(target, renewed, body, run, made=answer.tries)
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


def _ask(target: Target, key: Key, body: bytes, run: Run, *, made: int) -> Answer:
    """Up to three tries inside the remaining time; repeating is safe, the service opens one gate."""
    answer = Answer(None, "no time was left for a try; give the function a time-out of 60 s", made)
    for attempt in range(TRIES):
        if attempt:
            _back_off(attempt, run)
        within = run.left() - RESERVE_SECONDS
        if within <= 0:
            break
        headers = signed(key, path=target.path, body=body, timestamp=int(run.now()))
        answer = _try(target, headers, body, within=within, number=made + attempt + 1)
        if answer.is_final():
            break
        run.say("warning", "try_failed", attempt=answer.tries, status=answer.status, problem=answer.problem)
    return answer


def _back_off(attempt: int, run: Run) -> None:
    seconds = BACK_OFF_SECONDS * 2 ** (attempt - 1) * random.SystemRandom().uniform(0.5, 1.5)
    run.sleep(max(0.0, min(seconds, run.left() - RESERVE_SECONDS)))


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
        status, code = _post(target, headers, body, within=min(within, CONNECT_SECONDS + READ_SECONDS))
    except (OSError, http.client.HTTPException, ValueError) as trouble:  # ValueError: a host beyond IDNA
        return Answer(None, _problem(trouble), number)
    return Answer(status, f"HTTP {status} {code}".rstrip(), number)


def _post(target: Target, headers: dict[str, str], body: bytes, *, within: float) -> tuple[int, str]:
    """The answer's status and error code. Raises `TimeoutError` after `within` seconds, whatever the other side does.

    The time-outs of a socket hold for each single step of it: a slow name server, several addresses that do not
    answer, or a byte every nine seconds would outlast the function. So the whole exchange is waited for, not joined.
    """
    connection = _connection(target, timeout=min(CONNECT_SECONDS, within))
    answer: Future[tuple[int, str]] = Future()

    def exchange() -> None:
        try:
            connection.connect()
            connection.sock.settimeout(min(READ_SECONDS, within))
            connection.request("POST", target.path, body, headers)
            response = connection.getresponse()
            answer.set_result((response.status, "" if response.status in TAKEN else _error_code(response)))
        except Exception as trouble:
            answer.set_exception(trouble)
        finally:
            connection.close()

    threading.Thread(target=exchange, name="switchgate-hook", daemon=True).start()
    try:
        return answer.result(within)
    except TimeoutError:
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)
        raise


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


def _problem(trouble: Exception) -> str:
    """What went wrong, without the text of protocol errors: it quotes what the other side sent."""
    name = type(trouble).__name__
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return f"{name}: {trouble.verify_message}"
    if isinstance(trouble, OSError) and trouble.strerror:
        return f"{name}: {trouble.strerror}"
    return name


# ---- the environment


def read_target(env: Mapping[str, str], door: str = PATH_OF_HOOKS) -> Target:
    """The service's address. Raises `NotForwarded`; the value itself is not repeated."""
    url = env.get("SWITCHGATE_URL", "").strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_url("is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
        raise _bad_url("is missing or is not an http(s) URL")
    if parts.username is not None or parts.query or parts.fragment or not PATH.fullmatch(parts.path):
        raise _bad_url("may hold scheme, host, port and a plain path only")
    path = parts.path.rstrip("/") + door
    return Target(secure=parts.scheme == "https", host=parts.hostname, port=port, path=path)


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


def renew_key(refused: Key, run: Run) -> Key | None:
    """Another key than the refused one, where Secrets Manager holds one by now; it may have been rotated."""
    if run.env.get("SWITCHGATE_HOOK_SECRET", "").strip():
        return None
    try:
        key = _fetch_key(run.env["SWITCHGATE_HOOK_SECRET_ARN"].strip(), run)
    except NotForwarded as trouble:
        run.say("warning", "key_not_renewed", reason=trouble.reason, why=str(trouble), **trouble.facts)
        return None
    return key if key != refused else None


_kept_keys: dict[tuple[str, ...], Key] = {}


def _place_of_secret(run: Run) -> tuple[str, ...]:
    names = ("SWITCHGATE_HOOK_SECRET_ARN", "SWITCHGATE_HOOK_KEY_ID", "AWS_ENDPOINT_URL_SECRETS_MANAGER")
    return tuple(run.env.get(name, "") for name in names)


def _fetch_key(arn: str, run: Run) -> Key:
    try:
        client = _client("secretsmanager", run, within=run.left() - RESERVE_SECONDS, tries=2)
        value = client.get_secret_value(SecretId=arn).get("SecretString", "")
    except Exception as trouble:
        problem = _aws_problem(trouble)
        raise NotForwarded(
            "secret_unavailable", "SWITCHGATE_HOOK_SECRET_ARN cannot be read", problem=problem
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


def fail_closed(hook: Hook, run: Run) -> str:
    """Answers CodeDeploy `Failed`: `told`, or `already_completed` by somebody else. Raises `CodeDeployNotTold`."""
    try:
        client = _client("codedeploy", run, within=run.left() - 0.5, tries=3)
        client.put_lifecycle_event_hook_execution_status(
            deploymentId=hook.deployment, lifecycleEventHookExecutionId=hook.execution, status="Failed"
        )
    except Exception as trouble:
        problem = _aws_problem(trouble)
        if problem == ALREADY_COMPLETED:
            run.say("warning", "hook_already_completed")
            return "already_completed"
        run.say("error", "codedeploy_not_told", problem=problem)
        raise CodeDeployNotTold(f"CodeDeploy was not told Failed: {problem}") from None
    run.say("warning", "codedeploy_told_failed")
    return "told"


def _client(service: Literal["codedeploy", "secretsmanager"], run: Run, *, within: float, tries: int) -> Any:
    """A boto3 client of which one hanging try fits into `within` seconds. Imported late: most runs need none."""
    import boto3
    from botocore.config import Config

    within = max(within, 1.0)
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
        connect_timeout=min(CONNECT_SECONDS, within / 3),
        read_timeout=min(READ_SECONDS, within * 2 / 3),
        retries={"mode": "standard", "total_max_attempts": tries},
    )
    return session.client(service, config=config, endpoint_url=run.env.get(endpoint))


def _aws_problem(trouble: Exception) -> str:
    """AWS's error code, or the type of what went wrong; no message, for it may quote the execution id."""
    answer = getattr(trouble, "response", None)
    code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    return str(code)[:80] if code else type(trouble).__name__


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
