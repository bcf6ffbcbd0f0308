"""The start: tokens that Slack refuses stop it by name; Slack being away does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.sandbox.fakes import Fakes
from app.sandbox.people import JUN, MINA, OLU
from app.slack.auth_check import CannotStart
from tests.harness import AT_ONCE, text_of
from tests.slack.play import FAR, Build, deploys, naming, opened, wait_for_reply

BAD_TOKENS = [("SLACK_BOT_TOKEN", "xoxb-revoked"), ("SLACK_APP_TOKEN", "xapp-revoked")]


@pytest.mark.parametrize(("variable", "token"), BAD_TOKENS)
async def test_a_token_that_slack_refuses_stops_the_start_by_its_name(
    build: Build, variable: str, token: str
) -> None:
    with pytest.raises(CannotStart, match=f"{variable}: .*invalid_auth"):
        async with build(environment={variable: token}):
            pass


@pytest.mark.parametrize(("variable", "token"), BAD_TOKENS)
def test_the_command_ends_with_one_line_and_status_two(
    tmp_path: Path, database_url: str, variable: str, token: str
) -> None:
    with Fakes(tmp_path, speed=0.0, pace=AT_ONCE) as fakes:
        environment = {**fakes.environment(database_url=database_url), variable: token}
        ended = subprocess.run(
            [sys.executable, "-m", "app", "serve"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1", **environment},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines()[-1].startswith(f"{variable}: ")
    assert "Traceback" not in ended.stderr + ended.stdout
    assert token not in ended.stderr + ended.stdout


@pytest.mark.parametrize("scope", ["chat:write", "usergroups:read"])
async def test_a_scope_that_is_missing_does_not_stop_the_start(build: Build, scope: str) -> None:
    async with build(before=lambda fakes: fakes.slack.credentials.scopes.discard(scope)) as harness:
        deployment = await opened(harness, "order")
        assert deployment in text_of(await deploys(harness))


async def test_an_outage_of_slack_does_not_stop_the_start(build: Build) -> None:
    config = naming(FAR)
    async with build(
        socket_mode=False,
        users=(MINA, OLU, JUN, FAR),
        config=config,
        before=lambda s: s.slack.faults.outage(),
    ) as harness:
        deployment = await opened(harness, "order")
        harness.slack.faults.end_outage()
        await harness.until(lambda: harness.service.slack.directory.team is not None, timeout=15)
        await harness.until(lambda: "approve" in harness.actions(deployment), timeout=15)
        assert "/archives/" in text_of(await deploys(harness))
        await harness.approve(FAR.id, deployment)
        await wait_for_reply(harness, FAR, "full workspace members")
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
