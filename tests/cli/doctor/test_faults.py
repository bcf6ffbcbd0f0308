"""`switchgate doctor` beside a running service: all green, and one clear line for each thing that may be wrong."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from app.db.embedded.postgres import EmbeddedPostgres
from app.sandbox.aws.state.topology import EIGHT_DOMAINS
from app.sandbox.fakes import HOOK_SECRET, Fakes
from app.sandbox.replica import Replica
from app.sandbox.slack.state.credentials import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.cli.commands import Said, Shell, is_clean
from tests.cli.doctor.faults import FAULTS, OTHER_SECRET, PASTED_SECRET, Fault
from tests.conftest import TEMPLATE
from tests.database_roles import PASSWORDS, two_roles
from tests.db.sample_rows import fill
from tests.harness import AT_ONCE

USER, ORDER = EIGHT_DOMAINS[1], EIGHT_DOMAINS[2]
SECRETS = (
    BOT_TOKEN,
    APP_TOKEN,
    HOOK_SECRET,
    OTHER_SECRET,
    PASTED_SECRET,
    SIGNING_SECRET,
    "xoxb-another",
    "xapp-another",
    *PASSWORDS,
)

Doctor = Callable[..., Said]


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """With a gate, whose card Slack is shown; the service's own role."""
    with two_roles(postgres) as roles:
        roles.migrate()
        fill(roles.admin_url)
        yield roles.url


@pytest.fixture(scope="module")
def services_database(postgres: EmbeddedPostgres) -> str:
    """The running service's own."""
    return postgres.create_database("doctor_service", template=TEMPLATE)


@pytest.fixture(scope="module")
def service(services_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """One for all: faults are injected into what stands around it."""
    folder = tmp_path_factory.mktemp("service")
    with (
        Fakes(folder, domains=(USER, ORDER), speed=0.0, pace=AT_ONCE, seed=1) as fakes,
        Replica(fakes.environment(database_url=services_database), log=folder / "log") as replica,
    ):
        replica.wait_ready(60)
        yield replica


@pytest.fixture
def doctor(service: Replica, database: str, tmp_path: Path) -> Iterator[Doctor]:
    """Runs the command in a setup with a fault."""
    with ExitStack() as stack:

        def run(*options: str, fault: Fault | None = None) -> Said:
            domains = (USER, replace(ORDER, **(fault.order if fault else {})))
            fakes = stack.enter_context(
                Fakes(tmp_path, domains=domains, speed=0.0, pace=AT_ONCE, seed=1, history=True)
            )
            fakes.slack.credentials.scopes.add("channels:read")
            fakes.service_urls = [service.url]
            if fault is not None:
                fault.inject(fakes)
            port = int(service.url.rpartition(":")[2])
            shell = Shell(tmp_path, fakes.environment(database_url=database, port=port))
            return shell.run("doctor", *options, **(fault.environment if fault else {}))

        yield run


def test_beside_a_running_service_all_is_green(doctor: Doctor) -> None:
    said = doctor()

    assert {line[:8].strip() for line in said.out.splitlines()} == {"ok"}, said.all
    assert said.status == 0
    for line in (
        "ok      hook signature sandbox: the address that the function calls takes it",
        "ok      permissions: all 20 that serving uses",
        "ok      state changes: the EventBridge rule klp-logistics-switchgate sends them to CodeDeployHook_switchgate",
        "ok      role klp-logistics-switchgate-hook: the hook function may answer CodeDeploy with it",
        "ok      role klp-logistics-codedeploy: CodeDeploy may invoke CodeDeployHook_switchgate with it",
        "ok      deadlines: at most 55 minutes, 5 before CodeDeploy's own limit of an hour",
    ):
        assert line in said.out.splitlines(), said.all
    assert not [secret for secret in SECRETS if secret in said.all]


def test_the_probe_makes_no_gate(doctor: Doctor, services_database: str) -> None:
    assert doctor().status == 0

    with psycopg.connect(services_database) as record:
        assert record.execute("SELECT count(*) FROM gates").fetchone() == (0,)
        assert record.execute("SELECT count(*) FROM audit_events").fetchone() == (0,)


def test_there_are_25_faults_and_more() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_one_clear_line(doctor: Doctor, fault: Fault) -> None:
    said = doctor(fault=fault)

    wrong = [line for line in said.out.splitlines() if not line.startswith("ok ")]
    assert len(wrong) == 1, said.all
    assert wrong[0].startswith(fault.line)
    assert fault.remedy in wrong[0]
    assert said.status == fault.exit_status
    assert not [secret for secret in SECRETS if secret in said.all]
    assert is_clean(said)


def test_as_json_each_line_is_an_object(doctor: Doctor) -> None:
    fault = next(one for one in FAULTS if one.name == "automatic rollback is off")

    said = doctor("--json", fault=fault)

    found = [json.loads(line) for line in said.out.splitlines()]
    assert said.status == 1
    assert {frozenset(one) for one in found} == {frozenset({"status", "what", "said", "remedy"})}
    assert [one for one in found if one["status"] != "ok"] == [
        {
            "status": "trouble",
            "what": "automatic rollback of order",
            "said": "it is off in klp-logistics-order-dg: a rejection leaves green's tasks running",
            "remedy": "Turn automatic rollback on in the deployment group, with DEPLOYMENT_FAILURE among its events.",
        }
    ]
    assert {one["remedy"] for one in found if one["status"] == "ok"} == {None}
    assert not [secret for secret in SECRETS if secret in said.all]


def test_a_secret_is_not_shown_as_json_either(doctor: Doctor) -> None:
    fault = next(one for one in FAULTS if one.name == "a secret is in the place of a name")

    said = doctor("--json", fault=fault)

    assert "CodeDeploy has no •••" in {json.loads(line)["said"] for line in said.out.splitlines()}
    assert HOOK_SECRET not in said.all
