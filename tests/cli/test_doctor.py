"""`switchgate doctor`: a line for each thing that must be right, and what to do where it is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.record.migrate import newest
from app.sandbox.aws.world import EIGHT_DOMAINS, SandboxDomain
from app.sandbox.cast import CHANNEL
from app.sandbox.slack.credentials import APP_TOKEN, BOT_TOKEN
from app.sandbox.stage import HOOK_SECRET, Stage
from tests.cli.commands import Said, Shell, is_clean
from tests.house import AT_ONCE
from tests.record.filled import fill


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path, speed=0.0, pace=AT_ONCE, seed=1) as built:
        yield built


@pytest.fixture
def ready(stage: Stage, record_url: str, tmp_path: Path) -> Shell:
    return Shell(tmp_path, stage.environment(database_url=record_url))


def lines(said: Said) -> dict[str, str]:
    """Each line by what was looked at: its mark, then what was said."""
    found = {}
    for line in said.out.splitlines():
        mark, rest = line[:8].strip(), line[8:]
        what, _, told = rest.partition(": ")
        found[what] = f"{mark}: {told}"
    return found


def test_where_all_is_well_every_line_says_so(ready: Shell, stage: Stage) -> None:
    fill(ready.environment["DATABASE_URL"])

    said = ready.run("doctor")

    found = lines(said)
    assert said.status == 0, said.all
    assert {told.partition(":")[0] for told in found.values()} == {"ok"}
    assert found["environment"] == "ok: complete; Socket Mode; hooks signed by sandbox"
    assert found["database"] == f"ok: at migration {newest()}"
    assert found[f"channel {CHANNEL.id}"] == "ok: #deploys, and the app is in it"
    assert found["user group S0ONCALL"] == "ok: 2 people"
    assert found["card"] == "ok: Slack takes the newest gate's card"
    assert {what for what in found if what.startswith("domain ")} == {
        f"domain {one.name}" for one in EIGHT_DOMAINS
    }
    assert not [secret for secret in (BOT_TOKEN, APP_TOKEN, HOOK_SECRET) if secret in said.all]
    assert said.err == ""


def test_nothing_is_changed_by_looking(ready: Shell, stage: Stage) -> None:
    ready.run("doctor")

    assert {call.method for call in stage.slack.calls()} <= {
        *(
            "auth.test",
            "apps.connections.open",
            "conversations.info",
            "usergroups.users.list",
            "blocks.validate",
        )
    }
    assert {call.op for call in stage.aws.calls()} == {"GetDeploymentGroup"}


def test_trouble_at_slack_is_told_with_its_remedy(ready: Shell, stage: Stage) -> None:
    stage.slack.credentials.scopes -= {"commands"}
    stage.slack.people.alter(CHANNEL.id, is_member=False)
    stage.slack.people.alter("S0ONCALL", members=())

    said = ready.run("doctor", SLACK_APP_TOKEN="xapp-another")

    found = lines(said)
    assert said.status == 1
    assert found["scopes"].startswith("trouble: missing: commands. Add them")
    assert found["user group S0ONCALL"].startswith("trouble: nobody is in it. Add people")
    assert found["SLACK_APP_TOKEN"].startswith("trouble: apps.connections.open said invalid_auth.")
    assert found["card"].startswith("unknown: no gate was ever opened")
    assert is_clean(said)


def test_a_bad_bot_token_ends_the_look_at_slack_but_not_at_codedeploy(ready: Shell) -> None:
    said = ready.run("doctor", SLACK_BOT_TOKEN="xoxb-another")

    found = lines(said)
    assert said.status == 1
    assert found["SLACK_BOT_TOKEN"].startswith("trouble: auth.test said invalid_auth. Copy the bot token")
    assert found["domain order"].startswith("ok: ")
    assert "card" not in found


def test_trouble_at_codedeploy_is_told_for_each_domain(ready: Shell, stage: Stage) -> None:
    more = SandboxDomain("stranger", 9999)
    text = stage.config_file.read_text()
    stage.config_file.write_text(
        text
        + f'[domains.stranger]\napplication = "{more.application}"\ndeployment_group = "{more.deployment_group}"\n'
        + '[domains.twin]\napplication = "klp-logistics-order-app"\ndeployment_group = "no-such-group"\n'
    )

    found = lines(ready.run("doctor"))

    assert found["domain order"].startswith("ok: ")
    assert found["domain stranger"].startswith(
        f"trouble: CodeDeploy has no {more.application}. Mend application of"
    )
    assert found["domain twin"].startswith(
        "trouble: CodeDeploy has no no-such-group. Mend deployment_group of"
    )


def test_without_a_permission_the_permission_is_named(ready: Shell, stage: Stage) -> None:
    stage.aws.faults.add("GetDeploymentGroup", "access_denied", times=None)

    said = ready.run("doctor")

    assert said.status == 1
    assert lines(said)["domain order"].startswith(
        "trouble: AWS refuses us (AccessDeniedException). Allow codedeploy:"
    )


def test_an_empty_environment_is_told_line_by_line(shell: Shell) -> None:
    said = shell.run("doctor", DATABASE_URL="postgresql://x:hidden-password@127.0.0.1:1/x")

    assert said.status == 1
    assert "trouble environment: SWITCHGATE_HOOK_SECRETS: is not set. For example" in said.out
    assert "trouble switchgate.toml: cannot be read" in said.out
    assert "trouble database: it cannot be used" in said.out
    assert "hidden-password" not in said.all
    assert is_clean(said)


def test_a_database_without_tables_says_what_to_run(shell: Shell, empty_url: str) -> None:
    said = shell.run("doctor", DATABASE_URL=empty_url)

    assert f"trouble database: it is at migration none, not {newest()}. Run switchgate migrate." in said.out
