"""The Lambda that cannot forward a hook answers CodeDeploy itself, so that nothing hangs for an hour."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from app.hook_lambda.handler import CodeDeployNotAnswered, handle
from tests.hook_lambda.stand_ins import (
    EVENT,
    EXECUTION,
    PUT,
    SECRET,
    TOLD,
    Behaviour,
    Bench,
    Context,
    StandIn,
    Visit,
    answer,
    aws_error,
    bench,
    codedeploy,
    garbage,
    in_turn,
    reset,
)


def codedeploy_heard_failed_once(at: Bench) -> bool:
    (told,) = [one for one in at.codedeploy.heard if one.operation == PUT]
    return bool(
        told.json()
        == {
            "deploymentId": "d-0B7YUA91L",
            "lifecycleEventHookExecutionId": EXECUTION,
            "status": "Failed",
        }
    )


@pytest.mark.parametrize(
    "status",
    [400, 401, 403, 404, 409, 413, 422, 204, 301, 302, 307, 308],
    ids=lambda status: f"HTTP {status}",
)
def test_an_answer_that_asking_again_cannot_change_fails_the_deployment_at_once(status: int) -> None:
    elsewhere = {"Location": "/elsewhere"} if 300 <= status < 400 else {}
    with StandIn(answer(status, **elsewhere)) as switchgate, bench(url=switchgate.url) as at:
        outcome = at.invoke()

    assert outcome == {"outcome": "failed_closed", "reason": "refused", "codedeploy": "told"}
    assert codedeploy_heard_failed_once(at)
    assert [request.path for request in switchgate.heard] == ["/hooks/codedeploy"]
    assert at.slept == []


def test_the_log_says_why_switchgate_refused() -> None:
    with StandIn(answer(422, {"error": "not_ours"})) as switchgate, bench(url=switchgate.url) as at:
        at.invoke()
    assert at.events() == ["hook_not_forwarded", "codedeploy_told_failed"]
    assert at.logged()[0]["status"] == 422
    assert "HTTP 422 not_ours" in at.logged()[0]["why"]


@pytest.mark.parametrize("trouble", [answer(503), answer(429), reset, garbage])
def test_an_unreachable_service_is_retried_until_the_time_is_nearly_over(trouble: Behaviour) -> None:
    context = Context(60)
    with StandIn(trouble) as switchgate, bench(url=switchgate.url) as at:
        outcome = at.invoke(context=context)

    assert outcome == {"outcome": "failed_closed", "reason": "unreachable", "codedeploy": "told"}
    assert sum(at.slept) > 40
    assert len(switchgate.heard) == len(at.slept) >= 10
    assert codedeploy_heard_failed_once(at)
    assert context.get_remaining_time_in_millis() > 0


def test_a_service_that_comes_back_in_time_takes_the_hook() -> None:
    """A restart of half a minute."""
    away = [answer(503)] * 8
    with StandIn(*away, answer(202)) as switchgate, bench(url=switchgate.url) as at:
        assert at.invoke() == {"outcome": "forwarded", "status": 202, "tries": 9}
    assert sum(at.slept) > 10
    assert at.told() == []


def test_nobody_listens_there() -> None:
    with bench(url="http://127.0.0.1:1") as at:
        outcome = at.invoke()
    assert outcome["reason"] == "unreachable"
    assert "ConnectionRefusedError" in at.logged()[0]["problem"]
    assert codedeploy_heard_failed_once(at)


@pytest.mark.parametrize(("seconds", "kept"), [(60.0, 6.0), (10.0, 4.0), (3.0, 1.2)])
def test_time_is_kept_for_codedeploy(seconds: float, kept: float) -> None:
    context = Context(seconds)
    left: list[float] = []

    def when_told(visit: Visit) -> None:
        left.append(context.get_remaining_time_in_millis() / 1000)
        TOLD(visit)

    with StandIn(answer(503)) as switchgate, bench(codedeploy(put=when_told), url=switchgate.url) as at:
        assert at.invoke(context=context)["codedeploy"] == "told"
    assert kept / 3 < left[0] <= kept


def test_a_function_without_any_time_asks_nobody_and_says_so() -> None:
    with (
        StandIn(answer(202)) as switchgate,
        bench(url=switchgate.url) as at,
        pytest.raises(CodeDeployNotAnswered),
    ):
        at.invoke(context=Context(0.0))
    assert switchgate.heard == []
    assert "time-out of 60 s" in at.logged()[0]["why"]


def test_a_hook_that_somebody_answered_already_is_well() -> None:
    with bench(
        codedeploy(put=aws_error("LifecycleEventAlreadyCompletedException")), url="http://127.0.0.1:1"
    ) as at:
        assert at.invoke()["codedeploy"] == "already_completed"
    assert at.events()[-1] == "hook_already_completed"


def test_codedeploys_transient_errors_are_retried() -> None:
    put = in_turn(aws_error("ThrottlingException"), answer(503, b"<html>"), reset, TOLD)
    with bench(codedeploy(put=put), url="http://127.0.0.1:1") as at:
        assert at.invoke()["codedeploy"] == "told"
    assert at.told() == ["Failed"] * 4


@pytest.mark.parametrize(
    ("trouble", "problem"),
    [
        (aws_error("AccessDeniedException"), "AccessDeniedException"),
        (
            aws_error("InvalidLifecycleEventHookExecutionIdException"),
            "InvalidLifecycleEventHookExecutionIdException",
        ),
        (answer(500, b"<html>"), "500"),
    ],
    ids=["denied", "unknown hook", "broken"],
)
def test_when_codedeploy_does_not_take_it_either_the_function_fails_so_that_lambda_tries_again(
    trouble: Behaviour, problem: str
) -> None:
    with (
        bench(codedeploy(put=trouble), url="http://127.0.0.1:1") as at,
        pytest.raises(CodeDeployNotAnswered, match=problem) as failed,
    ):
        at.invoke()

    assert EXECUTION not in str(failed.value)
    assert failed.value.__suppress_context__
    assert at.logged()[-1] == at.logged()[-1] | {"event": "codedeploy_not_told", "problem": problem}
    assert EXECUTION not in "".join(at.lines)


@pytest.mark.parametrize(
    "event",
    [
        None,
        "d-0B7YUA91L",
        [],
        {},
        {"DeploymentId": "d-1"},
        {"LifecycleEventHookExecutionId": EXECUTION},
        {"DeploymentId": "", "LifecycleEventHookExecutionId": EXECUTION},
        {"DeploymentId": 7, "LifecycleEventHookExecutionId": EXECUTION},
        {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": {"a": 1}},
    ],
)
def test_an_event_that_is_no_hook_is_logged_and_left(event: object) -> None:
    with bench() as at:
        assert at.invoke(event)["outcome"] == "ignored"
    assert at.events() == ["event_ignored"]
    assert EXECUTION not in "".join(at.lines)
    assert at.codedeploy.heard == []


@pytest.mark.parametrize("execution", ["한글 \n\x00 \ud800", "x" * 8192], ids=["odd", "8 KB"])
def test_an_odd_or_long_execution_id_arrives_as_it_is(execution: str) -> None:
    with StandIn(answer(202)) as switchgate, bench(url=switchgate.url) as at:
        outcome = at.invoke(EVENT | {"LifecycleEventHookExecutionId": execution})
    assert outcome["outcome"] == "forwarded"
    assert switchgate.heard[0].json()["LifecycleEventHookExecutionId"] == execution


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SWITCHGATE_URL", ""),
        ("SWITCHGATE_URL", "switchgate.internal"),
        ("SWITCHGATE_URL", "ftp://switchgate.internal"),
        ("SWITCHGATE_URL", "http://switchgate.internal"),
        ("SWITCHGATE_URL", "http://10.0.0.7:8080"),
        ("SWITCHGATE_URL", "http://127.0.0.1.example.com"),
        ("SWITCHGATE_URL", "http://localhost.example.com"),
        ("SWITCHGATE_URL", "https://"),
        ("SWITCHGATE_URL", "https://switchgate.internal:port"),
        ("SWITCHGATE_URL", "https://[::1"),
        ("SWITCHGATE_URL", "https://me:pass@switchgate.internal"),
        ("SWITCHGATE_URL", "https://switchgate.internal/?a=b"),
        ("SWITCHGATE_URL", "https://switchgate.internal/a b"),
        ("SWITCHGATE_URL", "https://스위치.kr"),
        ("SWITCHGATE_HOOK_KEY_ID", ""),
        ("SWITCHGATE_HOOK_KEY_ID", "k1\r\nX-Evil: 1"),
        ("SWITCHGATE_HOOK_SECRET", ""),
        ("SWITCHGATE_HOOK_SECRET", "  "),
        ("HOOK_NAME", "BeforeTraffic"),
    ],
)
def test_a_wrong_setting_fails_closed_and_is_named(name: str, value: str) -> None:
    with bench(url="http://127.0.0.1:1") as at:
        outcome = at.invoke(env={name: value})
    assert outcome == {"outcome": "failed_closed", "reason": "misconfigured", "codedeploy": "told"}
    assert name in at.logged()[0]["why"]
    assert "pass@" not in at.logged()[0]["why"]
    assert codedeploy_heard_failed_once(at)


@pytest.mark.parametrize("host", [".example", "a" * 70 + ".example"])
def test_a_host_that_cannot_be_a_name_is_unreachable(host: str) -> None:
    with bench(url=f"https://{host}") as at:
        assert at.invoke()["reason"] == "unreachable"
    assert codedeploy_heard_failed_once(at)


def test_without_any_setting_it_says_so_and_fails() -> None:
    lines: list[str] = []
    with pytest.raises(CodeDeployNotAnswered, match="NoRegionError"):
        handle(
            EVENT, object(), env={"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "b"}, write=lines.append
        )
    assert "SWITCHGATE_URL" in lines[0]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that no authority signed, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl here to make a certificate with")
    file = tmp_path / "self-signed.pem"
    subprocess.run(
        [
            openssl,
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ]
        + [
            "-subj",
            "/CN=stand-in",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            file,
            "-out",
            f"{file}.crt",
        ],
        check=True,
        capture_output=True,
    )
    file.write_bytes(file.read_bytes() + Path(f"{file}.crt").read_bytes())
    return file


def over_tls(certificate: Path) -> StandIn:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return StandIn(answer(202)).wrap(
        lambda plain: context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
    )


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(certificate: Path) -> None:
    with over_tls(certificate) as switchgate, bench(url=switchgate.url) as at:
        assert at.invoke()["reason"] == "unreachable"
    assert at.logged()[0]["problem"].startswith("SSLCertVerificationError")
    assert switchgate.heard == []


def test_a_certificate_that_is_vouched_for_is(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with over_tls(certificate) as switchgate, bench(url=switchgate.url) as at:
        assert at.invoke()["outcome"] == "forwarded"
    assert SECRET not in "".join(at.lines)
