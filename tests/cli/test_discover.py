"""`switchgate domains discover`: the deployment groups of an account as tables of `switchgate.toml`."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.domain_tables import FoundGroup, domain_names, tables_text
from app.sandbox.aws.state.topology import EIGHT_DOMAINS, SandboxDomain
from app.sandbox.fakes import Fakes
from tests.cli.commands import Shell, is_clean
from tests.harness import AT_ONCE


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    with Fakes(tmp_path, speed=0.0, pace=AT_ONCE, seed=1) as built:
        yield built


@pytest.fixture
def account(fakes: Fakes, tmp_path: Path) -> Shell:
    return Shell(tmp_path, fakes.aws.environment())


def test_every_group_of_every_page_is_a_table_that_the_configuration_takes(account: Shell) -> None:
    said = account.run("domains", "discover")
    assert said.status == 0, said.all
    found = tomllib.loads(said.out)["domains"]
    assert found == {
        domain.name: {
            "application": domain.application,
            "deployment_group": domain.deployment_group,
            "listener_port": domain.listener_port,
        }
        for domain in EIGHT_DOMAINS
    }
    head = '[slack]\nchannel = "C01DEPLOY"\n[policy]\napprovers = ["S0ONCALL"]\n'
    (account.folder / "switchgate.toml").write_text(head + said.out)
    assert account.run("config", "check").status == 0


def test_a_group_that_is_not_on_ecs_or_has_no_hook_is_said_so(account: Shell, fakes: Fakes) -> None:
    fakes.aws.add_domain(SandboxDomain("batch", 7000, compute_platform="Lambda"))
    fakes.aws.add_domain(SandboxDomain("plain", 7010, hooks=()))
    deployment = fakes.aws.deploy("plain")
    said = account.run("domains", "discover")
    assert said.status == 0, said.all
    assert "# klp-logistics-batch-app / klp-logistics-batch-dg: It deploys to Lambda" in said.out
    assert f"# The AppSpec of {deployment} names no hook at BeforeAllowTraffic" in said.out
    assert "batch" not in tomllib.loads(said.out)["domains"]
    assert tomllib.loads(said.out)["domains"]["plain"]["listener_port"] == 7010


def test_a_hook_at_another_event_does_not_count(account: Shell, fakes: Fakes) -> None:
    """The service refuses it, and the deployment fails."""
    fakes.aws.add_domain(SandboxDomain("early", 7020, hooks=("AfterAllowTestTraffic",)))
    deployment = fakes.aws.deploy("early")
    said = account.run("domains", "discover")
    assert f"# The AppSpec of {deployment} names no hook at BeforeAllowTraffic" in said.out


def test_the_region_is_the_services_own_variable(account: Shell) -> None:
    said = account.run("domains", "discover", AWS_DEFAULT_REGION="")
    assert said.status == 0, said.all
    nowhere = account.run("domains", "discover", AWS_DEFAULT_REGION="", AWS_REGION="")
    assert (nowhere.status, nowhere.err) == (2, "NoRegionError: correct AWS_REGION, or give --region\n")


def test_what_aws_refuses_is_named_with_the_remedy(account: Shell, fakes: Fakes) -> None:
    fakes.aws.faults.add("DescribeListeners", "access_denied", times=None)
    said = account.run("domains", "discover")
    assert said.status == 0, said.all
    assert "# The listener could not be read (AccessDenied" in said.out
    assert "listener_port" not in said.out
    fakes.aws.faults.add("ListDeploymentGroups", "access_denied", times=None)
    said = account.run("domains", "discover")
    assert said.status == 2
    assert "AWS refused ListDeploymentGroups (AccessDenied" in said.err
    assert is_clean(said)


def test_names_are_short_different_and_taken_by_the_configuration() -> None:
    assert domain_names(["klp-order-app", "klp-payment-app"]) == ["order", "payment"]
    assert domain_names(["order-app"]) == ["order"]
    assert domain_names(["Order Service", "approve"]) == ["order-service", "approve-2"]
    assert domain_names(["order", "order"]) == ["order", "order-2"]
    assert domain_names(["a-b", "a"]) == ["a-b", "a"]
    assert len(domain_names(["x" * 90])[0]) <= 40


def test_quotes_in_a_name_stay_in_it() -> None:
    group = FoundGroup(application='a"\nb', deployment_group="dg", listener_port=None)
    assert tomllib.loads(tables_text([group]))["domains"]["a-b"]["application"] == 'a"\nb'
