"""The Terraform modules. No provider is at hand here: their structure is read, and the provider-free module is run."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.aws.state.topology import EIGHT_DOMAINS
from tests.infra.files import MODULES, TERRAFORM, block, blocks, resources, terraform

DOMAIN = TERRAFORM / "modules" / "domain"
SWITCHGATE = TERRAFORM / "modules" / "switchgate"
POLICIES = TERRAFORM / "modules" / "policies"
EXAMPLE = TERRAFORM / "example"

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")


def run_terraform(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env={
            **os.environ,
            "TF_CLI_CONFIG_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TERRAFORM)))
def test_a_file_can_be_read(path: Path) -> None:
    assert terraform(path)


@needs_terraform
def test_everything_is_formatted() -> None:
    run = run_terraform("fmt", "-check", "-recursive", "-diff", folder=TERRAFORM)
    assert (run.stdout, run.returncode) == ("", 0)


@needs_terraform
def test_the_policies_modules_own_tests_pass(tmp_path: Path) -> None:
    copy = tmp_path / "policies"
    shutil.copytree(POLICIES, copy, ignore=shutil.ignore_patterns(".terraform*"))
    assert run_terraform("init", "-input=false", folder=copy).returncode == 0
    tested = run_terraform("test", "-no-color", folder=copy)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "10 passed, 0 failed" in tested.stdout


def lifecycle(type_: str, name: str) -> dict[str, Any]:
    (found,) = block(DOMAIN, type_, name)["lifecycle"]
    return dict(found)


def ignored(type_: str, name: str) -> set[str]:
    return {str(one).strip("${}") for one in lifecycle(type_, name).get("ignore_changes", [])}


def test_what_codedeploy_changes_of_a_service_is_left_alone() -> None:
    assert ignored("aws_ecs_service", "this") == {"task_definition", "load_balancer", "desired_count"}


@pytest.mark.parametrize("name", ["production", "test"])
def test_where_a_listener_points_is_left_alone(name: str) -> None:
    assert ignored("aws_lb_listener", name) == {"default_action"}


@pytest.mark.parametrize(
    ("type_", "name"),
    [("aws_lb_listener", "production"), ("aws_lb_listener", "test")]
    + [("aws_lb_target_group", "blue"), ("aws_lb_target_group", "green"), ("aws_ecs_service", "this")],
)
def test_what_carries_traffic_cannot_be_destroyed(type_: str, name: str) -> None:
    assert lifecycle(type_, name)["prevent_destroy"] is True


def test_the_service_begins_with_blue_alone() -> None:
    service = block(DOMAIN, "aws_ecs_service", "this")
    assert service["deployment_controller"] == [{"type": "CODE_DEPLOY"}]
    (balancer,) = service["load_balancer"]
    assert balancer["target_group_arn"] == "${aws_lb_target_group.blue.arn}"


def test_a_rollback_can_still_deploy_the_first_task_definition() -> None:
    assert block(DOMAIN, "aws_ecs_task_definition", "first")["skip_destroy"] is True


def test_codedeploy_rolls_back_on_failure_alarm_and_request() -> None:
    group = block(DOMAIN, "aws_codedeploy_deployment_group", "this")
    (rollback,) = group["auto_rollback_configuration"]
    assert rollback["enabled"] is True
    assert rollback["events"] == [
        "DEPLOYMENT_FAILURE",
        "DEPLOYMENT_STOP_ON_ALARM",
        "DEPLOYMENT_STOP_ON_REQUEST",
    ]
    (alarms,) = group["alarm_configuration"]
    assert alarms["enabled"] is True
    (blue_green,) = group["blue_green_deployment_config"]
    (ending,) = blue_green["terminate_blue_instances_on_deployment_success"]
    assert ending["termination_wait_time_in_minutes"] == "${var.domain.blue_kept_minutes}"
    (pair,) = group["load_balancer_info"][0]["target_group_pair_info"]
    assert pair["test_traffic_route"]


def test_a_map_makes_the_eight_domains() -> None:
    domains = terraform(EXAMPLE / "domains.tf")["locals"][0]["domains"]
    assert domains == {domain.name: {"port": domain.listener_port} for domain in EIGHT_DOMAINS}
    (module,) = [one["domain"] for one in terraform(EXAMPLE / "main.tf")["module"] if "domain" in one]
    assert module["for_each"] == "${module.policies.domains}"


def test_a_pipeline_is_of_one_repository_and_branch() -> None:
    trust = str(block(EXAMPLE, "aws_iam_role", "pipeline")["assume_role_policy"])
    assert "repo:${each.value}:ref:refs/heads/main" in trust
    assert "StringEquals" in trust


def test_a_domain_is_a_line() -> None:
    lines = (EXAMPLE / "domains.tf").read_text(encoding="utf-8").splitlines()
    assert sum("port" in line for line in lines) == len(EIGHT_DOMAINS)


def test_the_database_is_encrypted_backed_up_and_protected() -> None:
    database = block(SWITCHGATE, "aws_db_instance", "this")
    assert database["storage_encrypted"] is True
    assert database["deletion_protection"] is True
    assert database["publicly_accessible"] is False
    assert database["skip_final_snapshot"] is False
    assert database["lifecycle"][0]["prevent_destroy"] is True
    (parameter,) = block(SWITCHGATE, "aws_db_parameter_group", "this")["parameter"]
    assert parameter == {"name": "rds.force_ssl", "value": "1"}
    assert "sslmode=verify-full" in (SWITCHGATE / "secrets.tf").read_text(encoding="utf-8")


def test_a_key_that_was_rotated_by_hand_stays() -> None:
    (lifecycle,) = block(SWITCHGATE, "aws_secretsmanager_secret_version", "this")["lifecycle"]
    assert [str(one).strip("${}") for one in lifecycle["ignore_changes"]] == ["secret_string"]


def test_the_service_rolls_and_has_no_public_address() -> None:
    service = block(SWITCHGATE, "aws_ecs_service", "this")
    assert service["deployment_controller"] == [{"type": "ECS"}]
    assert service["deployment_minimum_healthy_percent"] == 100
    assert service["network_configuration"][0]["assign_public_ip"] is False
    assert block(SWITCHGATE, "aws_lb", "this")["internal"] is True
    confined = terraform(SWITCHGATE / "service.tf")["locals"][0]["confined"]
    assert confined["readonlyRootFilesystem"] is True


def test_nothing_may_be_reached_from_everywhere() -> None:
    for folder in (DOMAIN, SWITCHGATE, EXAMPLE):
        for type_, name, body in blocks(folder, "resource"):
            if type_ == "aws_vpc_security_group_ingress_rule":
                assert body.get("cidr_ipv4") != "0.0.0.0/0", name


def test_both_forms_have_the_same_alarms() -> None:
    logs = terraform(SWITCHGATE / "alarms.tf")["locals"][0]["log_alarms"]
    patterns = {one["pattern"].replace('\\"', '"') for one in logs.values()}
    filters = resources("switchgate.yaml", "AWS::Logs::MetricFilter").values()
    assert patterns == {one["Properties"]["FilterPattern"] for one in filters}


@pytest.mark.parametrize("folder", [DOMAIN, SWITCHGATE, EXAMPLE], ids=lambda folder: folder.name)
def test_every_variable_is_declared_and_used(folder: Path) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.tf"))
    declared = {
        name for path in folder.glob("*.tf") for one in terraform(path).get("variable", []) for name in one
    }
    unused = {name for name in declared if f"var.{name}" not in text}
    assert unused == set()


@pytest.mark.parametrize("called", ["domain", "switchgate", "policies"])
def test_the_example_gives_each_module_what_it_wants(called: str) -> None:
    folder = TERRAFORM / "modules" / called
    variables = {
        name: body
        for path in folder.glob("*.tf")
        for one in terraform(path).get("variable", [])
        for name, body in one.items()
    }
    (given,) = [one[called] for one in terraform(EXAMPLE / "main.tf")["module"] if called in one]
    wanted = {name for name, body in variables.items() if "default" not in body}
    assert wanted <= given.keys()
    assert given.keys() - {"source", "for_each"} <= variables.keys()
