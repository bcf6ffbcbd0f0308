"""Where the Lambda has its key from: Secrets Manager, kept between invocations, fetched again when refused."""

import json
import logging
from typing import Any
from uuid import uuid4

import pytest

from tests.hook_lambda.stand_ins import (
    SECRET,
    Behaviour,
    Bench,
    Context,
    StandIn,
    answer,
    aws_error,
    bench,
    hang,
)


def holds(value: str) -> Behaviour:
    """Secrets Manager's answer."""
    return answer(200, {"ARN": "arn", "Name": "hook", "VersionId": "v" * 32, "SecretString": value})


def pair(kid: str, secret: str) -> Behaviour:
    return holds(json.dumps({"kid": kid, "secret": secret}))


def invoke(
    at: Bench, secrets: StandIn, *, arn: str = "", context: object = None, **env: str
) -> dict[str, Any]:
    """Invokes the function with a key that only Secrets Manager knows."""
    settings = at.env | {
        "SWITCHGATE_HOOK_SECRET": "",
        "SWITCHGATE_HOOK_SECRET_ARN": arn or f"arn:aws:secretsmanager:ap-northeast-2:1:secret:{uuid4()}",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.url,
    }
    return at.invoke(context=context, env={**settings, **env})


@pytest.mark.parametrize(
    ("value", "kid"),
    [(holds(f"{SECRET}\n"), "k1"), (pair("k2", SECRET), "k2"), (holds(json.dumps({"secret": SECRET})), "k1")],
    ids=["plain", "a pair", "a pair without a kid"],
)
def test_the_key_comes_from_secrets_manager(value: Behaviour, kid: str) -> None:
    with StandIn(answer(202)) as switchgate, StandIn(value) as secrets, bench(url=switchgate.url) as at:
        assert invoke(at, secrets, arn="arn:one" + kid + str(uuid4()))["outcome"] == "forwarded"
    assert secrets.heard[0].headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert switchgate.heard[0].headers["x-switchgate-key"] == kid
    assert SECRET not in "".join(at.lines)


def test_a_secret_with_its_key_id_needs_no_other_key_id() -> None:
    with (
        StandIn(answer(202)) as switchgate,
        StandIn(pair("k7", SECRET)) as secrets,
        bench(url=switchgate.url) as at,
    ):
        assert invoke(at, secrets, SWITCHGATE_HOOK_KEY_ID="")["outcome"] == "forwarded"
    assert switchgate.heard[0].headers["x-switchgate-key"] == "k7"


def test_a_key_is_fetched_once_for_many_hooks() -> None:
    arn = f"arn:{uuid4()}"
    with (
        StandIn(answer(202)) as switchgate,
        StandIn(pair("k1", SECRET)) as secrets,
        bench(url=switchgate.url) as at,
    ):
        for _ in range(3):
            invoke(at, secrets, arn=arn)
    assert len(switchgate.heard) == 3
    assert len(secrets.heard) == 1


def test_a_rotated_key_is_fetched_again_after_a_refusal_and_then_kept() -> None:
    arn = f"arn:{uuid4()}"
    rotation = (pair("k1", SECRET), pair("k2", "another-secret-0123456789"))
    verdicts = (answer(202), answer(401, {"error": "unknown_key"}), answer(202))
    with StandIn(*verdicts) as switchgate, StandIn(*rotation) as secrets, bench(url=switchgate.url) as at:
        outcomes = [invoke(at, secrets, arn=arn) for _ in range(3)]

    assert [outcome["tries"] for outcome in outcomes] == [1, 2, 1]
    assert [request.headers["x-switchgate-key"] for request in switchgate.heard] == ["k1", "k1", "k2", "k2"]
    assert len(secrets.heard) == 2
    assert at.codedeploy.heard == []


def test_a_key_that_is_refused_and_was_not_rotated_is_final() -> None:
    with (
        StandIn(answer(401, {"error": "mismatch"})) as switchgate,
        StandIn(pair("k1", SECRET)) as secrets,
        bench(url=switchgate.url) as at,
    ):
        outcome = invoke(at, secrets)
    assert outcome == {"outcome": "failed_closed", "reason": "refused", "codedeploy": "told"}
    assert (len(switchgate.heard), len(secrets.heard)) == (1, 2)


def test_a_key_is_fetched_again_once_and_not_for_ever() -> None:
    rotation = [pair(f"k{number}", SECRET) for number in range(9)]
    with StandIn(answer(401)) as switchgate, StandIn(*rotation) as secrets, bench(url=switchgate.url) as at:
        assert invoke(at, secrets)["reason"] == "refused"
    assert (len(switchgate.heard), len(secrets.heard)) == (2, 2)


def test_when_the_new_key_cannot_be_fetched_the_refusal_is_kept() -> None:
    fetches = (pair("k1", SECRET), aws_error("AccessDeniedException"))
    with StandIn(answer(401)) as switchgate, StandIn(*fetches) as secrets, bench(url=switchgate.url) as at:
        assert invoke(at, secrets)["reason"] == "refused"
    assert at.events() == ["key_not_renewed", "hook_not_forwarded", "codedeploy_told_failed"]


@pytest.mark.parametrize("kind", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_secret_that_cannot_be_read_fails_closed(kind: str) -> None:
    with (
        StandIn(answer(202)) as switchgate,
        StandIn(aws_error(kind)) as secrets,
        bench(url=switchgate.url) as at,
    ):
        outcome = invoke(at, secrets)
    assert outcome == {"outcome": "failed_closed", "reason": "secret_unavailable", "codedeploy": "told"}
    assert at.logged()[0]["problem"] == kind
    assert switchgate.heard == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{",
        '{"kid": "k1"}',
        '{"secret": 7}',
        '{"secret": ""}',
        '{"kid": "a b", "secret": "s"}',
        '{"kid": 1, "secret": "s"}',
    ],
)
def test_a_secret_of_another_shape_fails_closed_and_is_not_repeated(value: str) -> None:
    with (
        StandIn(answer(202)) as switchgate,
        StandIn(holds(value)) as secrets,
        bench(url=switchgate.url) as at,
    ):
        assert invoke(at, secrets)["reason"] == "misconfigured"
    assert "SWITCHGATE_HOOK" in at.logged()[0]["why"]
    assert switchgate.heard == []


def test_secrets_manager_hanging_leaves_time_for_codedeploy() -> None:
    with StandIn(hang) as secrets, bench() as at:
        outcome = invoke(at, secrets, context=Context(4))
    assert outcome == {"outcome": "failed_closed", "reason": "secret_unavailable", "codedeploy": "told"}
    assert at.logged()[0]["problem"] in {"ReadTimeoutError", "TimeoutError"}


def test_a_short_outage_of_secrets_manager_is_waited_for() -> None:
    fetches = (answer(500), aws_error("ThrottlingException"), pair("k1", SECRET))
    with StandIn(answer(202)) as switchgate, StandIn(*fetches) as secrets, bench(url=switchgate.url) as at:
        assert invoke(at, secrets)["outcome"] == "forwarded"
    assert at.events() == ["key_not_read", "key_not_read", "hook_forwarded"]


def test_the_aws_client_does_not_log_the_secret_either(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with (
        StandIn(answer(202)) as switchgate,
        StandIn(pair("k1", SECRET)) as secrets,
        bench(url=switchgate.url) as at,
    ):
        invoke(at, secrets)
    assert SECRET not in caplog.text
