"""The Lambda forwards a hook: what it sends, when it tries again, and what it leaves unsaid."""

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.hook_lambda import handler as handler_module
from app.hook_lambda.handler import handle, handler
from app.web.hooks.message import HookMessage
from app.web.hooks.signature import HookKeys
from tests.hook_lambda.stand_ins import (
    ARN,
    EVENT,
    EXECUTION,
    SECRET,
    Behaviour,
    Bench,
    Context,
    Heard,
    StandIn,
    answer,
    bench,
    drip,
    garbage,
    hang,
    reset,
)

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


@dataclass
class Played:
    """What the function returned, what Switchgate received, and the function's environment."""

    outcome: dict[str, Any]
    heard: list[Heard]
    at: Bench

    def codedeploy_heard_nothing(self) -> bool:
        return self.at.told() == []


def forward(*script: Behaviour, context: object = None, prefix: str = "", **env: str) -> Played:
    """Invokes the function once against a Switchgate that behaves as scripted."""
    with StandIn(*script) as switchgate, bench(url=switchgate.url + prefix) as at:
        outcome = at.invoke(context=context, now=NOW.timestamp, env=env)
        return Played(outcome, list(switchgate.heard), at)


@pytest.mark.parametrize("status", [202, 200])
def test_a_hook_that_switchgate_takes_is_done(status: int) -> None:
    played = forward(answer(status, {"gate": "g", "state": "awaiting"}))

    assert played.outcome == {"outcome": "forwarded", "status": status, "tries": 1}
    assert played.at.events() == ["hook_forwarded"]
    assert played.codedeploy_heard_nothing()


def test_switchgate_is_sent_the_event_the_hook_and_the_place() -> None:
    (request,) = forward(answer(202)).heard

    assert (request.method, request.path) == ("POST", "/hooks/codedeploy")
    assert request.headers["content-type"] == "application/json"
    assert request.json() == EVENT | {
        "HookName": "BeforeAllowTraffic",
        "AccountId": "111122223333",
        "Region": "ap-northeast-2",
    }


def test_the_service_can_read_and_verify_what_the_lambda_sends() -> None:
    (request,) = forward(answer(202), HOOK_NAME="AfterAllowTestTraffic").heard

    kid = HookKeys({"k1": SECRET}).verify(
        headers=request.headers, method="POST", path=request.path, body=request.body, now=NOW
    )
    hook = HookMessage.model_validate_json(request.body).hook(sender=kid, region="us-east-1")
    assert (kid, hook.hook_name, hook.execution_id.reveal()) == ("k1", "AfterAllowTestTraffic", EXECUTION)
    assert (hook.key.account, hook.key.region) == ("111122223333", "ap-northeast-2")


@pytest.mark.parametrize("prefix", ["/", "/gate", "/gate/"])
def test_the_path_that_is_asked_for_is_the_path_that_is_signed(prefix: str) -> None:
    (request,) = forward(answer(202), prefix=prefix).heard

    assert request.path == prefix.rstrip("/") + "/hooks/codedeploy"
    HookKeys({"k1": SECRET}).verify(
        headers=request.headers, method="POST", path=request.path, body=request.body, now=NOW
    )


def test_an_alias_in_the_functions_arn_changes_nothing() -> None:
    (request,) = forward(answer(202), context=Context(invoked_function_arn=f"{ARN}:live")).heard
    assert request.json()["AccountId"] == "111122223333"


def test_without_an_arn_the_region_is_the_environments_and_the_account_is_left_out() -> None:
    (request,) = forward(answer(202), context=object(), AWS_REGION="eu-west-1").heard
    assert request.json() == EVENT | {"HookName": "BeforeAllowTraffic", "Region": "eu-west-1"}


@pytest.mark.parametrize(
    "trouble", [answer(503), answer(500, b"<html>"), answer(429), answer(408), reset, garbage]
)
def test_a_transient_error_is_retried(trouble: Behaviour) -> None:
    played = forward(trouble, trouble, answer(202))

    assert played.outcome == {"outcome": "forwarded", "status": 202, "tries": 3}
    assert played.at.events() == ["try_failed", "try_failed", "hook_forwarded"]
    assert [request.body for request in played.heard] == [played.heard[0].body] * 3


def test_each_wait_is_longer_than_the_last_and_none_is_the_same_for_everybody() -> None:
    waits = [forward(answer(503), answer(503), answer(202)).at.slept for _ in range(3)]

    assert all(0.25 <= first <= 0.75 and 0.5 <= second <= 1.5 for first, second in waits)
    assert len({first for first, _ in waits}) == 3


def test_a_try_signs_anew_so_that_a_slow_one_does_not_age_the_next() -> None:
    moments = iter([1000.9, 1300.2])
    with StandIn(answer(503), answer(202)) as switchgate, bench(url=switchgate.url) as at:
        at.invoke(now=lambda: next(moments))
    assert [request.headers["x-switchgate-timestamp"] for request in switchgate.heard] == ["1000", "1300"]


@pytest.mark.parametrize("trouble", [hang, drip])
def test_a_service_that_takes_for_ever_is_cut_off_and_asked_again(trouble: Behaviour) -> None:
    played = forward(trouble, answer(202), context=Context(12))

    assert played.outcome == {"outcome": "forwarded", "status": 202, "tries": 2}
    assert played.at.logged()[0]["problem"].startswith("TimeoutError")


def test_neither_secret_nor_execution_id_is_ever_logged() -> None:
    played = forward(garbage, answer(500, {"error": EXECUTION}), answer(422, {"error": "not_ours"}))

    text = "".join(played.at.lines)
    assert played.outcome["outcome"] == "failed_closed"
    assert EXECUTION not in text
    assert SECRET not in text
    assert all(line["deployment"] == "d-0B7YUA91L" for line in played.at.logged())
    assert {len(line["execution_sha256"]) for line in played.at.logged()} == {12}


def test_forty_hooks_at_once_in_one_process_stay_apart() -> None:
    outcomes: list[dict[str, Any]] = []
    with StandIn(answer(202)) as switchgate, bench(url=switchgate.url) as at:

        def invoke(number: int) -> None:
            event = EVENT | {"DeploymentId": f"d-{number}"}
            outcomes.append(handle(event, Context(), env=at.env, write=at.lines.append))

        threads = [threading.Thread(target=invoke, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [outcome["outcome"] for outcome in outcomes] == ["forwarded"] * 40
    assert {request.json()["DeploymentId"] for request in switchgate.heard} == {f"d-{n}" for n in range(40)}
    assert {line["deployment"] for line in at.logged()} == {f"d-{n}" for n in range(40)}


def test_lambdas_entry_point_reads_the_processs_environment_and_logs_a_json_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with StandIn(answer(202)) as switchgate, bench(url=switchgate.url) as at:
        for name, value in at.env.items():
            monkeypatch.setenv(name, value)
        assert handler(EVENT, Context())["outcome"] == "forwarded"
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == "hook_forwarded"


ALONE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import handler
print(json.dumps(handler.handler({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e"}, None)))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} & {"app", "boto3", "botocore"})))
"""


def test_the_one_file_is_the_whole_function(tmp_path: Path) -> None:
    shutil.copy(str(handler_module.__file__), tmp_path / "handler.py")
    with StandIn(answer(202)) as switchgate, bench(url=switchgate.url) as at:
        # -I and -S: nothing but the standard library is there.
        run = subprocess.run(
            [sys.executable, "-I", "-S", "-c", ALONE, tmp_path],
            env={**os.environ, **at.env},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert run.stderr == ""
    _, outcome, imported = map(json.loads, run.stdout.splitlines())
    assert outcome == {"outcome": "forwarded", "status": 202, "tries": 1}
    assert imported == []
