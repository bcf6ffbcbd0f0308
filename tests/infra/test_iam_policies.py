"""Every IAM policy that is shipped, against the calls that the code can make: none missing, none too many."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from cfnlint.data import AdditionalSpecs

from app.cli.doctor.permissions import PERMISSIONS as LOOKED_AT
from app.cli.doctor.permissions import SIMULATED
from tests.infra import dependent_actions
from tests.infra.api_calls import (
    CONFIGURATION,
    DISCOVERY,
    DOCTOR,
    HOOK,
    IAM_PREFIX,
    PIPELINE,
    SERVICE,
    calls,
    paginators,
    services,
)
from tests.infra.files import (
    MODULES,
    ROOT,
    TEMPLATES,
    TERRAFORM,
    actions,
    resources,
    statements,
    template,
    terraform,
)

DOCTORS = "AWS: whoever runs `switchgate doctor`"
PERMISSIONS = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")


def terraform_policies() -> dict[str, Any]:
    """The documents of the policies module, by the name that its outputs give them."""
    folder = TERRAFORM / "modules" / "policies"
    own = terraform(folder / "policies.tf")["locals"][0]["policies"]
    by_domain = (folder / "domain_policies.tf").read_text(encoding="utf-8")
    named = re.split(r"^  (codedeploy_policies|pipeline_policies) = ", by_domain, flags=re.MULTILINE)
    texts = dict(zip(named[1::2], named[2::2], strict=True))
    return {**own, **{name: [_statement(text)] for name, text in texts.items()}}


def _statement(text: str) -> dict[str, Any]:
    """Of a `for` expression, which the parser keeps as text: every action that stands in it."""
    assigned = re.findall(r"Action\s+= (\[[^\]]*\]|\"[^\"]*\")", text)
    return {"Effect": "Allow", "Action": re.findall(r'"([a-z0-9]+:\w+)"', " ".join(assigned)), "Resource": []}


def cloudformation(file: str, *ids: str) -> set[str]:
    """What the policies of some resources allow."""
    return set().union(*(actions(resources(file)[id_]) for id_ in ids))


def documented(heading: str) -> set[str]:
    """The actions that stand in backticks under a heading of docs/permissions.md."""
    section = PERMISSIONS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`([a-z0-9]+:[A-Z]\w+)`", section))


def documented_policy(heading: str) -> set[str]:
    """The actions of the policy under a heading of docs/permissions.md."""
    section = PERMISSIONS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (policy,) = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    return actions(json.loads(policy))


TERRAFORM_POLICIES = terraform_policies()
SWITCHGATE, DOMAIN, GITHUB = "switchgate.yaml", "domain.yaml", "role.yaml"

OF_THE_SERVICE = {
    "CloudFormation": cloudformation(SWITCHGATE, "HoldPolicy", "EvidencePolicy", "RollBackPolicy"),
    "Terraform": actions([TERRAFORM_POLICIES[name] for name in ("hold", "evidence", "roll_back")]),
    "docs, the policy": documented_policy("AWS: the service's role"),
    "docs, the tables": documented("AWS: the service's role"),
}
OF_THE_HOOK = {
    "CloudFormation": cloudformation(SWITCHGATE, "HookRole"),
    "Terraform": actions(TERRAFORM_POLICIES["hook"]),
}
OF_THE_START = {
    "CloudFormation": cloudformation(SWITCHGATE, "ExecutionRole"),
    "Terraform": actions(TERRAFORM_POLICIES["start"]),
}
OF_CODEDEPLOY = {
    "CloudFormation": cloudformation(DOMAIN, "DeployRole"),
    "Terraform": actions(TERRAFORM_POLICIES["codedeploy_policies"]),
}
OF_THE_PIPELINE = {
    "CloudFormation": cloudformation(GITHUB, "PipelineRole"),
    "Terraform": actions(TERRAFORM_POLICIES["pipeline_policies"]),
}


@pytest.mark.parametrize("where", OF_THE_SERVICE)
def test_the_service_may_do_what_it_calls_and_no_more(where: str) -> None:
    assert OF_THE_SERVICE[where] == calls(SERVICE) | dependent_actions.SERVICE.keys()


def test_doctor_looks_at_every_permission_that_the_service_needs() -> None:
    looked_at = {permission.action for permission in LOOKED_AT} | set(SIMULATED)
    assert looked_at == calls(SERVICE) | dependent_actions.SERVICE.keys()


def test_what_doctor_calls_beyond_is_an_optional_policy_of_reads() -> None:
    needs_no_permission = {"sts:GetCallerIdentity"}
    beyond = calls(DOCTOR) - calls(SERVICE) - needs_no_permission
    assert documented(DOCTORS) - calls(SERVICE) - needs_no_permission == beyond
    assert documented_policy(DOCTORS) == beyond
    reads = ("Get", "List", "Describe", "Simulate")
    assert {action for action in beyond if not action.partition(":")[2].startswith(reads)} == set()


def test_the_configuration_may_be_read_from_the_parameter_that_is_named() -> None:
    told = documented("AWS: the configuration")
    says_what_is_missing, key_of_ones_own = {"s3:ListBucket"}, {"kms:Decrypt"}
    written_by_others = {"s3:PutObject", "ssm:PutParameter"}
    assert told - says_what_is_missing - key_of_ones_own - written_by_others == calls(CONFIGURATION)
    for policy in (
        cloudformation(SWITCHGATE, "ConfigurationPolicy"),
        actions(TERRAFORM_POLICIES["configuration"]),
    ):
        assert policy == {"ssm:GetParameter"} < calls(CONFIGURATION)
    serve = resources(SWITCHGATE)["TaskDefinition"]["Properties"]["ContainerDefinitions"][-1]
    given = {one["Name"]: one["Value"] for one in serve["Environment"]}
    assert given["SWITCHGATE_CONFIG"] == {"Fn::Sub": "ssm:${ConfigurationParameter}"}


def test_who_discovers_domains_may_do_what_is_documented_and_no_more() -> None:
    assert documented("AWS: `switchgate domains discover`") == calls(DISCOVERY)
    assert paginators(DISCOVERY) == set()


@pytest.mark.parametrize("where", OF_THE_HOOK)
def test_the_hook_may_do_what_it_calls_and_no_more(where: str) -> None:
    assert OF_THE_HOOK[where] == calls(HOOK) | dependent_actions.HOOK.keys()


def test_the_documented_role_of_the_hook_is_the_same() -> None:
    network = {name for name in dependent_actions.HOOK if name.startswith("ec2:")}
    key_of_ones_own = {"kms:Decrypt"}
    told = documented("AWS: the hook Lambda's role")
    assert told - key_of_ones_own == calls(HOOK) | dependent_actions.HOOK.keys() - network


@pytest.mark.parametrize("where", OF_THE_START)
def test_ecs_may_do_what_starts_a_replica_and_no_more(where: str) -> None:
    assert OF_THE_START[where] == dependent_actions.START.keys()


@pytest.mark.parametrize("where", OF_CODEDEPLOY)
def test_codedeploy_may_do_what_a_deployment_needs_and_no_more(where: str) -> None:
    assert OF_CODEDEPLOY[where] == dependent_actions.CODEDEPLOY.keys()


@pytest.mark.parametrize("where", OF_THE_PIPELINE)
def test_a_pipeline_may_do_what_its_scripts_call_and_no_more(where: str) -> None:
    assert OF_THE_PIPELINE[where] == calls(PIPELINE) | dependent_actions.PIPELINE.keys()
    assert "ecs:UpdateService" not in OF_THE_PIPELINE[where]


def test_rolling_back_is_a_policy_of_its_own() -> None:
    roll_back = {"codedeploy:StopDeployment", "codedeploy:CreateDeployment", "codedeploy:ContinueDeployment"}
    for policy in (cloudformation(SWITCHGATE, "RollBackPolicy"), actions(TERRAFORM_POLICIES["roll_back"])):
        assert roll_back <= policy
    assert resources(SWITCHGATE)["RollBackPolicy"]["Condition"] == "RollBack"
    assert not roll_back & cloudformation(SWITCHGATE, "HoldPolicy", "EvidencePolicy")
    assert not roll_back & actions([TERRAFORM_POLICIES["hold"], TERRAFORM_POLICIES["evidence"]])


def test_no_policy_is_left_unread() -> None:
    """A policy that is added has to be compared with something here."""
    read = {
        *OF_THE_SERVICE["CloudFormation"], *OF_THE_HOOK["CloudFormation"], *OF_THE_START["CloudFormation"],
        *OF_CODEDEPLOY["CloudFormation"], *OF_THE_PIPELINE["CloudFormation"],
        *cloudformation(SWITCHGATE, "ConfigurationPolicy"),
    }  # fmt: skip
    roles = {
        f"{path.name} {id_}"
        for path in TEMPLATES
        for type_ in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
        for id_ in resources(path.name, type_)
    }
    assert roles == {
        "switchgate.yaml ExecutionRole", "switchgate.yaml TaskRole", "switchgate.yaml HookRole",
        "switchgate.yaml ConfigurationPolicy", "switchgate.yaml HoldPolicy",
        "switchgate.yaml EvidencePolicy", "switchgate.yaml RollBackPolicy",
        "domain.yaml DeployRole", "role.yaml PipelineRole",
    }  # fmt: skip
    assert set().union(*(actions(template(path.name)) for path in TEMPLATES)) == read
    assert set(TERRAFORM_POLICIES) == {
        "configuration", "hold", "evidence", "roll_back", "hook", "start", "codedeploy_policies", "pipeline_policies",
    }  # fmt: skip


def test_terraform_has_no_policy_outside_its_module_but_that_of_ones_own_secrets() -> None:
    elsewhere = [path for path in MODULES if path.parent.name != "policies"]
    named = {
        action
        for path in elsewhere
        for action in re.findall(r'"([a-z0-9]+:[A-Z]\w+)"', path.read_text(encoding="utf-8"))
    }
    not_in_a_policy_of_ours = {
        "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "aws:SourceAccount", "lambda:InvokeFunction",
    }  # fmt: skip
    """Trust policies, and what EventBridge may do with the function."""
    assert named == not_in_a_policy_of_ours | {"secretsmanager:GetSecretValue"}


def all_statements() -> Iterator[tuple[str, Any]]:
    for path in TEMPLATES:
        for statement in statements(template(path.name)):
            if "Principal" not in statement:
                yield f"{path.name} {statement['Sid']}", statement
    for name in ("configuration", "hold", "evidence", "roll_back", "hook", "start"):
        for statement in statements(TERRAFORM_POLICIES[name]):
            yield f"terraform {name} {statement['Sid']}", statement


STATEMENTS = dict(all_statements())


def resource_types() -> dict[str, list[str]]:
    """AWS's service authorization reference, as cfn-lint carries it: the resource types that an action knows.

    Its names are in small letters.
    """
    folder = files(AdditionalSpecs)
    services = json.loads((folder / "Policies.json").read_text(encoding="utf-8"))
    return {
        f"{prefix}:{action}": details.get("Resources", [])
        for prefix, service in services.items()
        for action, details in service["Actions"].items()
    }


IAM = resource_types()


@pytest.mark.parametrize("where", STATEMENTS)
def test_nothing_is_allowed_by_a_wildcard_that_could_be_named(where: str) -> None:
    statement = STATEMENTS[where]
    allowed = actions(statement)
    assert statement["Effect"] == "Allow"
    assert {name.lower() for name in allowed} <= IAM.keys(), "an action that AWS does not know"
    if statement["Resource"] == "*":
        assert not {name for name in allowed - dependent_actions.OF_NETWORK_INTERFACES if IAM[name.lower()]}


def test_the_code_uses_the_services_whose_calls_are_looked_for() -> None:
    assert services([*SERVICE, *CONFIGURATION, *DOCTOR, *HOOK, *PIPELINE]) <= IAM_PREFIX.keys()
    assert {"codedeploy", "ecs", "elbv2", "cloudwatch", "secretsmanager"} <= services([*SERVICE, *HOOK])
    assert paginators([*SERVICE, *DOCTOR, *HOOK, *PIPELINE]) == set()


def test_every_dependent_action_has_a_reason() -> None:
    for table in (dependent_actions.SERVICE, dependent_actions.HOOK, dependent_actions.PIPELINE):
        assert all(len(reason.split()) > 2 for reason in table.values())
    assert not dependent_actions.SERVICE.keys() & calls(SERVICE)
    assert not dependent_actions.HOOK.keys() & calls(HOOK)
    assert not dependent_actions.PIPELINE.keys() & calls(PIPELINE)
