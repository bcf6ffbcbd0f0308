"""`switchgate serve`: what stops its start, how it stops, and how it reads its configuration again."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.sandbox.fakes import Fakes
from app.sandbox.people import MINA
from app.sandbox.replica import INHERITED, Replica
from tests.aws.config_store import ConfigStore
from tests.cli.commands import Shell, is_clean
from tests.harness import AT_ONCE
from tests.http_client import send
from tests.polling import until

NEEDED = {
    "SWITCHGATE_HOOK_SECRETS": "SWITCHGATE_HOOK_SECRETS=2026a:",
    "SLACK_BOT_TOKEN": "SLACK_BOT_TOKEN=xoxb-",
    "AWS_REGION": "AWS_REGION=ap-northeast-2",
}

MALFORMED = {
    "SWITCHGATE_HOOK_SECRETS": "no-colon-but-a-secret-0123456789",
    "SWITCHGATE_LOCALE": "klingon",
    "SWITCHGATE_CONFIG": "https://config.internal/switchgate.toml",
    "SWITCHGATE_API_TOKENS": "grafana-without-a-colon",
    "SLACK_BOT_TOKEN": "xoxp-not-a-bots-token",
    "SLACK_APP_TOKEN": "xoxb-not-an-apps-token",
    "SLACK_API_URL": "slack.example/api",
    "AWS_REGION": "Planet Mars",
    "PORT": "eighty-eighty",
    "DATABASE_URL": "sqlite:///somewhere",
    "SWITCHGATE_LOG_FORMAT": "scroll",
    "SWITCHGATE_LOG_LEVEL": "LOUDEST",
}


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    with Fakes(tmp_path, speed=0.0, pace=AT_ONCE, seed=1) as built:
        yield built


@pytest.fixture
def ready(fakes: Fakes, database_url: str, tmp_path: Path) -> Shell:
    """Everything that `serve` needs."""
    return Shell(tmp_path, fakes.environment(database_url=database_url))


def test_without_any_variable_every_needed_one_is_named_with_an_example(shell: Shell) -> None:
    said = shell.run("serve")

    assert (said.status, said.out) == (2, "")
    for variable, example in {**NEEDED, "SLACK_SIGNING_SECRET": "SLACK_SIGNING_SECRET="}.items():
        (line,) = [line for line in said.err.splitlines() if line.startswith(f"{variable}:")]
        assert "is not set" in line
        assert f"For example {example}" in line
    assert is_clean(said)


def test_one_missing_variable_stops_the_start(ready: Shell) -> None:
    said = ready.run("serve", SLACK_BOT_TOKEN="")

    assert said.status == 2
    assert said.err.startswith(f"SLACK_BOT_TOKEN: is not set. For example {NEEDED['SLACK_BOT_TOKEN']}")
    assert len(said.err.splitlines()) == 1


def test_malformed_variables_stop_the_start_and_are_not_repeated(ready: Shell) -> None:
    said = ready.run("serve", **MALFORMED, AWS_DEFAULT_REGION="")

    assert said.status == 2
    assert {line.partition(": ")[0] for line in said.err.splitlines()} == set(MALFORMED)
    for line in said.err.splitlines():
        variable = line.partition(": ")[0]
        assert f"For example {variable}=" in line
        assert MALFORMED[variable] not in line
    assert is_clean(said)


def test_a_bad_configuration_stops_the_start(ready: Shell) -> None:
    bad = ready.folder / "bad.toml"
    bad.write_text('[slack]\nchannel = "C01"\n')

    said = ready.run("serve", SWITCHGATE_CONFIG=str(bad))

    assert said.status == 2
    assert "bad.toml: domains: names no domain" in said.err
    assert is_clean(said)


@pytest.mark.parametrize(
    ("variable", "token"), [("SLACK_BOT_TOKEN", "xoxb-other"), ("SLACK_APP_TOKEN", "xapp-other")]
)
def test_a_token_that_slack_refuses_stops_the_start(ready: Shell, variable: str, token: str) -> None:
    said = ready.run("serve", **{variable: token})

    assert said.status == 2
    assert f"{variable}: Slack refuses it (invalid_auth)" in said.err
    assert token not in said.all
    assert "Traceback" not in said.all


def test_an_unencrypted_connection_to_a_database_of_another_machine_is_logged(ready: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = ready.run(
            "serve",
            DATABASE_URL="postgresql://u:hidden-password@db.invalid/d?sslmode=disable",
            PORT=str(taken.getsockname()[1]),
        )

    assert "cannot listen" in said.err
    assert '"event": "database_connection_unencrypted"' in said.all
    assert "hidden-password" not in said.all


def test_a_port_that_is_taken_stops_the_start(ready: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = ready.run("serve", PORT=port)

    assert said.status == 2
    assert f"HOST, PORT: cannot listen on 127.0.0.1:{port}: address already in use" in said.err
    assert is_clean(said)


def test_a_host_that_is_none_stops_the_start(ready: Shell) -> None:
    said = ready.run("serve", HOST="no.such.host.invalid")

    assert said.status == 2
    assert "HOST, PORT: cannot listen on no.such.host.invalid" in said.err
    assert is_clean(said)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_is_obeyed_gracefully(ready: Shell, stop: signal.Signals) -> None:
    with Replica(ready.environment, log=ready.folder / "log") as replica:
        replica.wait_ready()
        replica.signal(stop)
        assert replica.stop() == 0
    log = (ready.folder / "log").read_text()
    assert '"event": "stopping"' in log
    assert "Traceback" not in log


def test_what_is_under_way_at_a_stop_is_finished(ready: Shell, fakes: Fakes) -> None:
    with Replica(ready.environment, log=ready.folder / "log") as replica:
        replica.wait_ready()
        fakes.service_urls = [replica.url]
        deployment = fakes.aws.deploy("order")
        until(lambda: _phases(ready) == ["awaiting"] and _approvable(fakes))
        fakes.aws.faults.slow("PutLifecycleEventHookExecutionStatus", 1_000)
        card = fakes.slack.messages.in_channel("C01DEPLOY")[0]
        fakes.slack.press(MINA.id, card.channel, card.ts, "approve")
        until(lambda: _phases(ready) == ["decided"])

        assert replica.stop() == 0

    assert fakes.aws.answers(deployment) == ["Succeeded"]
    assert _phases(ready) == ["reported"]


def test_sighup_reads_the_configuration_again_and_a_bad_file_is_refused(ready: Shell, fakes: Fakes) -> None:
    log = ready.folder / "log"
    whole = fakes.config_file.read_text()
    with Replica(ready.environment, log=log) as replica:
        replica.wait_ready()
        fakes.service_urls = [replica.url]
        fakes.aws.deploy("order")
        until(lambda: _phases(ready) == ["awaiting"])

        fakes.config_file.write_text(whole.replace("[domains.payment]", "[domains.payment]\nnonsense = 1"))
        replica.signal(signal.SIGHUP)
        until(lambda: "config_not_reloaded" in log.read_text())
        assert "domains.payment.nonsense: is unknown" in log.read_text()
        fakes.aws.deploy("payment")
        until(lambda: _phases(ready) == ["awaiting", "awaiting"])  # the old one is still in force

        fakes.config_file.write_text(whole.partition("[domains.delivery]")[0])
        replica.signal(signal.SIGHUP)
        until(lambda: '"event": "config_reloaded"' in log.read_text())
        fakes.aws.deploy("promotion")
        until(lambda: "is not a configured domain" in log.read_text())
        assert _phases(ready) == ["awaiting", "awaiting"]  # and the gates that wait, wait on
        assert send(f"{replica.url}/readyz").status == 200


def test_the_configuration_needs_no_file(ready: Shell, fakes: Fakes) -> None:
    log = ready.folder / "log"
    whole = fakes.config_file.read_text()
    fakes.config_file.unlink()
    with ConfigStore() as store:
        store.put_parameter("/switchgate/config", whole)
        remote = {**ready.environment, **store.environment(), "SWITCHGATE_CONFIG": "ssm:/switchgate/config"}
        with Replica(remote, log=log) as replica:
            replica.wait_ready()
            store.put_parameter("/switchgate/config", whole.partition("[domains.delivery]")[0])
            replica.signal(signal.SIGHUP)
            until(lambda: '"event": "config_reloaded"' in log.read_text())

            store.denied.add("ssm:/switchgate/config")
            replica.signal(signal.SIGHUP)
            until(lambda: "config_not_reloaded" in log.read_text())
            assert "ssm:/switchgate/config: cannot be read: AccessDeniedException" in log.read_text()
            assert "switchgate_config_stale 1.0" in send(f"{replica.url}/metrics").text
            assert send(f"{replica.url}/readyz").status == 200

    with Replica({**ready.environment, "SWITCHGATE_CONFIG": whole}, log=log) as replica:
        replica.wait_ready()


def test_a_configuration_that_cannot_be_read_stops_the_start(ready: Shell) -> None:
    with ConfigStore() as store:
        said = ready.run("serve", **store.environment(), SWITCHGATE_CONFIG="s3://klp-config/switchgate.toml")

    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "s3://klp-config/switchgate.toml: cannot be read: NoSuchBucket. Name a bucket that exists.\n"
    )


def test_serve_needs_no_more_than_the_contract_names(ready: Shell) -> None:
    contract = {
        *(
            "DATABASE_URL",
            "SWITCHGATE_CONFIG",
            "SWITCHGATE_HOOK_SECRETS",
            "SWITCHGATE_LOCALE",
            "SLACK_BOT_TOKEN",
        ),
        *("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL", "PORT", "HOST"),
    }

    assert {name for name in ready.environment if not name.startswith("AWS_")} <= contract
    assert not contract & set(INHERITED)
    with Replica(ready.environment, log=ready.folder / "log") as replica:
        assert replica.wait_ready() > 0


def _phases(shell: Shell) -> list[str]:
    with psycopg.connect(shell.environment["DATABASE_URL"]) as connection:
        return [row[0] for row in connection.execute("SELECT phase FROM gates ORDER BY opened_at").fetchall()]


def _approvable(fakes: Fakes) -> bool:
    said = fakes.slack.messages.in_channel("C01DEPLOY")
    return bool(said) and '"approve"' in str(said[0].shown.blocks).replace("'", '"')
