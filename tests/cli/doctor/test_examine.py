"""`switchgate doctor`: a line for each thing that must be right, and what to do where it is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from app.cli.doctor.permissions import NOBODYS_DEPLOYMENT
from app.db.migrate import newest
from app.sandbox.aws.state.topology import EIGHT_DOMAINS, SandboxDomain
from app.sandbox.fakes import HOOK_SECRET, KID, Fakes
from app.sandbox.people import CHANNEL, OLU, config_text
from app.sandbox.slack.state.credentials import APP_TOKEN, BOT_TOKEN
from app.sandbox.slack.state.shapes import User
from tests.cli.commands import Shell, findings, is_clean
from tests.db.sample_rows import fill
from tests.harness import AT_ONCE

READS = ("Get", "BatchGet", "List", "Describe", "SimulatePrincipalPolicy")
SERVICE_AWAY = 2
"""The exit status where nothing is wrong: nobody answers hooks here, so that one line is unknown."""


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    with Fakes(tmp_path, speed=0.0, pace=AT_ONCE, seed=1, history=True) as built:
        yield built


@pytest.fixture
def ready(fakes: Fakes, database_url: str, tmp_path: Path) -> Shell:
    return Shell(tmp_path, fakes.environment(database_url=database_url))


@contextmanager
def answering_all(status: int, kind: str, text: str) -> Iterator[str]:
    """A proxy that answers by itself, whatever it is asked; gives its address."""

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_where_all_is_well_every_line_says_so_but_that_of_the_service(ready: Shell, fakes: Fakes) -> None:
    fill(ready.environment["DATABASE_URL"])
    fakes.slack.credentials.scopes.add("channels:read")

    said = ready.run("doctor")

    found = findings(said)
    assert said.status == SERVICE_AWAY, said.all
    assert [what for what, told in found.items() if not told.startswith("ok: ")] == [
        "database role",  # tests/cli/doctor/test_database.py has a role of its own
        "hook signature",
    ]
    assert found["environment"] == "ok: complete; Socket Mode; hooks signed by sandbox"
    assert found["database"] == f"ok: at migration {newest()}"
    assert found[f"channel {CHANNEL.id}"] == "ok: #deploys, and the app is in it"
    assert found["user group S0ONCALL"] == "ok: 2 people"
    assert found["card"] == "ok: Slack takes the newest gate's card"
    for clock in ("database", "Slack", "AWS"):
        assert found[f"clock against {clock}"].startswith("ok: they differ by at most ")
    assert {what for what in found if what.startswith("domain ")} == {
        f"domain {one.name}" for one in EIGHT_DOMAINS
    }
    assert not [secret for secret in (BOT_TOKEN, APP_TOKEN, HOOK_SECRET) if secret in said.all]
    assert said.err == ""


def test_the_owners_address_is_not_the_services_business(ready: Shell) -> None:
    found = findings(ready.run("doctor", DATABASE_OWNER_URL="postgresql://owner:hidden-password@127.0.0.1/x"))

    assert found["DATABASE_OWNER_URL"].startswith("warning: is set here, where the service does not need it")


@pytest.mark.parametrize("code", ["missing_scope", "channel_not_found"])
def test_without_channels_read_a_channel_is_unknown_and_not_ok(ready: Shell, fakes: Fakes, code: str) -> None:
    if code != "missing_scope":
        fakes.slack.faults.error("conversations.info", code, times=None)

    said = ready.run("doctor")

    channel = findings(said)[f"channel {CHANNEL.id}"]
    assert channel.startswith("unknown: Slack does not tell whether it exists and whether the app is in it")
    assert "channels:read" in channel
    assert said.status == SERVICE_AWAY, said.all


def test_a_channel_that_is_not_there_is_a_failure(ready: Shell, fakes: Fakes) -> None:
    fakes.slack.credentials.scopes.add("channels:read")
    fakes.slack.faults.error("conversations.info", "channel_not_found", times=None)

    said = ready.run("doctor")

    assert findings(said)[f"channel {CHANNEL.id}"].startswith(
        "trouble: conversations.info said channel_not_found. Correct the id in switchgate.toml"
    )
    assert said.status == 1


def test_a_secret_that_can_be_guessed_is_named_and_is_no_failure(ready: Shell) -> None:
    said = ready.run("doctor", SWITCHGATE_HOOK_SECRETS=f"{KID}:{HOOK_SECRET},kid1:secret1")

    found = findings(said)
    assert found["SWITCHGATE_HOOK_SECRETS kid1"].startswith("warning: short enough to be guessed")
    assert said.status == SERVICE_AWAY, said.all
    assert "secret1" not in said.all


def test_nothing_is_changed_by_looking(ready: Shell, fakes: Fakes) -> None:
    before = fakes.aws.deployments()

    ready.run("doctor")

    assert {call.method for call in fakes.slack.calls()} <= {
        *(
            "auth.test",
            "apps.connections.open",
            "conversations.info",
            "usergroups.users.list",
            "users.info",
            "blocks.validate",
        )
    }
    writes = [call for call in fakes.aws.calls() if not call.op.startswith(READS)]
    assert {call.op for call in writes} == {
        "PutLifecycleEventHookExecutionStatus",
        "StopDeployment",
        "ContinueDeployment",
    }
    assert {call.params["deploymentId"] for call in writes} == {NOBODYS_DEPLOYMENT}
    assert {call.outcome for call in writes} == {"DeploymentDoesNotExistException"}
    assert fakes.aws.deployments() == before


def test_an_error_of_slack_is_reported_with_its_remedy(ready: Shell, fakes: Fakes) -> None:
    fakes.slack.credentials.scopes -= {"commands"}
    fakes.slack.people.alter(CHANNEL.id, is_member=False)
    fakes.slack.people.alter("S0ONCALL", members=())

    said = ready.run("doctor", SLACK_APP_TOKEN="xapp-another")

    found = findings(said)
    assert said.status == 1
    assert found["scopes"].startswith("trouble: missing: commands. Add them")
    assert found["user group S0ONCALL"].startswith("trouble: nobody is in it. Add people")
    assert found["SLACK_APP_TOKEN"].startswith("trouble: apps.connections.open said invalid_auth.")
    assert found["card"].startswith("ok: no gate was ever opened")
    assert is_clean(said)


def test_a_bad_bot_token_ends_the_look_at_slack_but_not_at_codedeploy(ready: Shell) -> None:
    said = ready.run("doctor", SLACK_BOT_TOKEN="xoxb-another")

    found = findings(said)
    assert said.status == 1
    assert found["SLACK_BOT_TOKEN"].startswith("trouble: auth.test said invalid_auth. Copy the bot token")
    assert found["domain order"].startswith("ok: ")
    assert "card" not in found


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:1/api/", "127.0.0.1:1 gives no answer (ClientConnectorError)"),
        ("https://slack.invalid/api/", "slack.invalid gives no answer (ClientConnector"),
    ],
)
def test_where_slack_cannot_be_reached_no_token_is_blamed(ready: Shell, url: str, host: str) -> None:
    said = ready.run("doctor", SLACK_API_URL=url)

    found = findings(said)
    assert said.status == 1
    for token in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        assert found[token].startswith(f"trouble: Slack cannot be reached: {host}")
        assert found[token].endswith(
            "Look at DNS, at the way out from here (egress, proxies) and at SLACK_API_URL."
        )
    assert "Copy the bot token" not in said.all
    assert found["domain order"].startswith("ok: ")
    assert is_clean(said)


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "application/json"])
def test_what_answers_in_slacks_place_is_not_taken_for_slack(ready: Shell, kind: str) -> None:
    with answering_all(502, kind, "Bad gateway") as url:
        found = findings(ready.run("doctor", SLACK_API_URL=url))

    host = url.removeprefix("http://").removesuffix("/")
    assert found["SLACK_BOT_TOKEN"].startswith(
        f"trouble: Slack cannot be reached: {host} answers, but not as Slack does ("
    )


def test_a_line_that_is_lost_after_the_first_answer_blames_no_id(ready: Shell, fakes: Fakes) -> None:
    fill(ready.environment["DATABASE_URL"])
    for method in ("conversations.info", "usergroups.users.list", "blocks.validate"):
        fakes.slack.faults.reset(method, times=None)

    said = ready.run("doctor")

    found = findings(said)
    assert found["SLACK_BOT_TOKEN"].startswith("ok: ")
    for what in (f"channel {CHANNEL.id}", "user group S0ONCALL", "card"):
        assert "Slack cannot be reached: 127.0.0.1:" in found[what]
    assert "Correct the id" not in said.all


def test_an_internal_error_of_slack_blames_no_token(ready: Shell, fakes: Fakes) -> None:
    fakes.slack.faults.outage()

    found = findings(ready.run("doctor"))

    assert found["SLACK_BOT_TOKEN"] == (
        "trouble: auth.test said service_unavailable. That is Slack's own; look again later."
    )


def test_an_error_of_codedeploy_is_reported_for_each_domain(ready: Shell, fakes: Fakes) -> None:
    more = SandboxDomain("stranger", 9999)
    text = fakes.config_file.read_text()
    fakes.config_file.write_text(
        text
        + f'[domains.stranger]\napplication = "{more.application}"\ndeployment_group = "{more.deployment_group}"\n'
        + '[domains.twin]\napplication = "klp-logistics-order-app"\ndeployment_group = "no-such-group"\n'
    )

    found = findings(ready.run("doctor"))

    assert found["domain order"].startswith("ok: ")
    assert found["domain stranger"].startswith(
        f"trouble: CodeDeploy has no {more.application}. Correct application of"
    )
    assert found["domain twin"].startswith(
        "trouble: CodeDeploy has no no-such-group. Correct deployment_group of"
    )


def test_without_a_permission_the_permission_is_named(ready: Shell, fakes: Fakes) -> None:
    fakes.aws.faults.add("GetDeploymentGroup", "access_denied", times=None)

    said = ready.run("doctor")

    assert said.status == 1
    assert findings(said)["domain order"].startswith(
        "trouble: AWS refuses us (AccessDeniedException). Allow codedeploy:"
    )


def test_where_aws_refuses_the_signature_the_clock_is_named(ready: Shell, fakes: Fakes) -> None:
    fakes.aws.faults.add("GetDeploymentGroup", "signature_expired", times=None)

    said = ready.run("doctor")

    assert said.status == 1
    assert findings(said)["domain order"].startswith(
        "trouble: AWS refuses our signature (InvalidSignatureException). Synchronize this machine's clock with NTP"
    )


@pytest.mark.parametrize("code", ["RequestExpired", "SignatureDoesNotMatch", "RequestTimeTooSkewed"])
def test_other_error_codes_of_a_wrong_clock_are_reported_alike(ready: Shell, code: str) -> None:
    with answering_all(403, "application/x-amz-json-1.1", f'{{"__type": "{code}", "message": ""}}') as url:
        found = findings(ready.run("doctor", AWS_ENDPOINT_URL_CODEDEPLOY=url))

    assert found["domain order"].startswith(f"trouble: AWS refuses our signature ({code}). Synchronize")


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


def test_a_database_of_a_newer_release_is_no_failure(ready: Shell) -> None:
    with psycopg.connect(ready.environment["DATABASE_URL"]) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")

    said = ready.run("doctor")

    assert said.status == SERVICE_AWAY, said.all
    assert findings(said)["database"] == "ok: at migration 0999, made by a newer release than this"


def test_the_channel_problems_that_the_service_recorded_are_reported(ready: Shell, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO channel_id_changes (old_id, new_id, learned_at) VALUES (%s, 'C02NEW', now())",
            [CHANNEL.id],
        )
        connection.execute(
            "INSERT INTO channel_problems (channel, problem, since) VALUES ('C09LEADS', 'is_archived', now())"
        )
    said = ready.run("doctor")
    assert (
        f"channel {CHANNEL.id}: its id is C02NEW now, as Slack says. Name C02NEW in switchgate.toml."
        in said.out
    )
    assert "channel C09LEADS: Slack refuses messages there (is_archived)." in said.out


def domain_with(fakes: Fakes, lines: str) -> None:
    fakes.config_file.write_text(config_text(order=lines), encoding="utf-8")


@pytest.mark.parametrize(
    ("rules", "members", "told"),
    [
        ('approvers = ["S0ONCALL"]\n', (), "1 approvals are asked of S0ONCALL, and 0 can give one"),
        ('approvers = ["S0ONCALL"]\napprovals = 2\n', (OLU.id,), "2 approvals are asked of S0ONCALL, and 1"),
        ('approvers = ["U0LEFT", "U0TYPO"]\n', (OLU.id,), "1 approvals are asked of U0LEFT, U0TYPO, and 0"),
        ('require = [{ from = "U0TYPO" }]\n', (OLU.id,), "1 approvals are asked of U0TYPO, and 0"),
        ('approvers = ["S0ONCALL"]\nunknown_deployer = "ask-two"\n', (OLU.id,), "two people are asked"),
    ],
)
def test_too_few_approvers_are_a_failure(
    ready: Shell, fakes: Fakes, rules: str, members: tuple[str, ...], told: str
) -> None:
    domain_with(fakes, rules)
    fakes.slack.people.alter("S0ONCALL", members=members)
    fakes.slack.people.add(User(id="U0LEFT", name="left", real_name="Left", deleted=True))

    said = ready.run("doctor")

    found = findings(said)
    assert said.status == 1
    assert found["approvers of order"].startswith(f"trouble: {told}")
    if "U0LEFT" in rules:
        assert found["user U0LEFT"].startswith("trouble: the account is deactivated.")
        assert found["user U0TYPO"].startswith("trouble: users.info said user_not_found. Correct the id")


def test_an_org_wide_installation_is_said_not_to_be_supported(ready: Shell, fakes: Fakes) -> None:
    fakes.slack.credentials.enterprise, fakes.slack.credentials.org_wide = "E0KLP", True

    said = ready.run("doctor")

    assert said.status == 1
    assert findings(said)["installation"].startswith(
        "trouble: it is org-wide, which is not supported. Install"
    )


@pytest.mark.parametrize(
    ("mode", "said"),
    [("disable", "warning: sslmode=disable: passwords"), ("verify-full", "ok: sslmode=verify-full")],
)
def test_the_encryption_of_the_database_connection_is_reported(ready: Shell, mode: str, said: str) -> None:
    found = findings(ready.run("doctor", DATABASE_URL=f"postgresql://x@db.invalid/x?sslmode={mode}"))
    assert found["DATABASE_URL"].startswith(said)
