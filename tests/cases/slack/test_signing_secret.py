"""A signing secret that cannot be right is refused or warned of at the start, and refused requests say why."""

import json
from pathlib import Path
from time import time

import pytest

from app.cli.doctor.signatures import look_at_signatures
from app.config.environment import SettingsError, load_settings
from tests.cli.commands import Shell, is_clean
from tests.logs import captured_logs
from tests.slack.play import Build, block_actions, readiness, send

HTTP_MODE = {
    "SLACK_BOT_TOKEN": "xoxb-1-2-abc",
    "SWITCHGATE_HOOK_SECRETS": "kid1:0123456789abcdef0123",
    "AWS_REGION": "ap-northeast-2",
}
STAMP = "X-Slack-Request-Timestamp"


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ('"8f742231b10e8888abcd99yyyzzz85a5"', "is in quotes"),
        ("'8f742231b10e8888abcd991122aa85a5'", "is in quotes"),
        ("U0673U4TWAJ", "is an id or a token"),
        ("A01ABCDEFGH", "is an id or a token"),
        ("xoxb-123-456-abc", "is an id or a token"),
        ("abc def", "holds blanks"),
        ("8f742231b10e8888\u200babcd991122aa85a5", "holds blanks or characters outside ASCII"),
    ],
)
def test_what_is_no_signing_secret_is_refused_at_the_start(shell: Shell, secret: str, why: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({**HTTP_MODE, "SLACK_SIGNING_SECRET": secret})
    assert str(refused.value).startswith(f"SLACK_SIGNING_SECRET: {why}")
    assert secret not in str(refused.value)
    said = shell.run("doctor", **HTTP_MODE, SLACK_SIGNING_SECRET=secret)
    assert f"trouble environment: SLACK_SIGNING_SECRET: {why}" in said.out
    assert is_clean(said)


@pytest.mark.parametrize(
    "secret", ["shhh", "8f742231b10e8888abcd99yyyzzz85a5", "8f742231b10e8888abcd991122aa85a"]
)
def test_an_unusual_form_is_warned_of(shell: Shell, secret: str) -> None:
    assert load_settings({**HTTP_MODE, "SLACK_SIGNING_SECRET": secret}).has_unusual_signing_secret()
    said = shell.run("doctor", **HTTP_MODE, SLACK_SIGNING_SECRET=secret)
    assert "warning SLACK_SIGNING_SECRET: is not made of the 32 hexadecimal digits" in said.out
    assert f"{secret} " not in said.all
    usual = {**HTTP_MODE, "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd991122aa85a5"}
    assert not load_settings(usual).has_unusual_signing_secret()


def test_socket_mode_needs_no_signing_secret_whatever_it_is() -> None:
    settings = load_settings({**HTTP_MODE, "SLACK_APP_TOKEN": "xapp-1-a", "SLACK_SIGNING_SECRET": "abc def"})
    assert not settings.has_unusual_signing_secret()


async def test_refused_requests_name_their_cause(build: Build) -> None:
    async with build(socket_mode=False) as harness:
        payload = block_actions({"action_id": "x", "value": "the-body"})
        late = str(int(time()) - 400)
        with captured_logs("WARNING") as stream:
            for _ in range(3):
                assert (await send(harness, payload, secret="another"))[0] == 401
            status, said = await readiness(harness)
            assert (status, said["slack"]) == (200, "ok")
            assert "SLACK_SIGNING_SECRET" in said["slack_signature"]
            assert (await send(harness, payload, timestamp=late))[0] == 401
            assert "clock differs from Slack's by +40" in (await readiness(harness))[1]["slack_signature"]
            assert (await send(harness, payload, headers={"X-Slack-Signature": ""}))[0] == 401
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        refused = [line for line in lines if line["event"] == "slack_request_refused"]
        assert [line["cause"] for line in refused] == ["signature", "clock", "unsigned"]
        assert 400 <= refused[1]["clock_ahead_seconds"] <= 410
        assert "the-body" not in stream.getvalue()
        assert (await send(harness, payload))[0] == 200
        assert "slack_signature" not in (await readiness(harness))[1]


async def test_the_doctor_reports_what_the_running_service_refuses(build: Build, shell: Shell) -> None:
    async with build(socket_mode=False) as harness:
        await send(harness, block_actions({"action_id": "x"}), secret="another")
        found = await look_at_signatures(
            load_settings(
                {**HTTP_MODE, "SLACK_SIGNING_SECRET": "8" * 32, "PORT": harness.url.rpartition(":")[2]}
            )
        )
        assert "does not match SLACK_SIGNING_SECRET" in str(*found)
        assert found[0].is_failure


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, {})
