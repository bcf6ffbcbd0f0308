"""The CloudFormation templates."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.container.files import contract
from tests.infra.files import INFRA, ROOT, TEMPLATES, resources, template

SWITCHGATE, DOMAIN = "switchgate.yaml", "domain.yaml"


def test_cfn_lint_finds_nothing() -> None:
    run = subprocess.run(
        [
            Path(sys.executable).parent / "cfn-lint",
            *("--non-zero-exit-code", "warning", "--format", "parseable", "--regions", "ap-northeast-2"),
            "--",
            *TEMPLATES,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout + run.stderr, run.returncode) == ("", 0)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_uses_what_cloudformation_does_not_know_of_yaml(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "<<:" not in text
    assert ": &" not in text
    assert len(text.encode()) < 51_200, "longer templates have to be uploaded to S3 first"


def properties(file: str, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = resources(file)[id_]["Properties"]
    return found


def containers() -> dict[str, dict[str, Any]]:
    defined = properties(SWITCHGATE, "TaskDefinition")["ContainerDefinitions"]
    return {one["Name"]: one for one in defined}


def test_two_replicas_without_a_public_address_are_replaced_one_by_one() -> None:
    service = properties(SWITCHGATE, "Service")
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert template(SWITCHGATE)["Parameters"]["Replicas"]["MinValue"] == 2
    assert network["AssignPublicIp"] == "DISABLED"
    assert service["DeploymentController"] == {"Type": "ECS"}
    assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 100
    assert service["DeploymentConfiguration"]["DeploymentCircuitBreaker"]["Rollback"] is True


def test_nothing_is_reachable_from_outside_the_vpc() -> None:
    assert properties(SWITCHGATE, "LoadBalancer")["Scheme"] == "internal"
    assert properties(SWITCHGATE, "Database")["PubliclyAccessible"] is False
    for file in (SWITCHGATE, DOMAIN):
        rules = [
            *resources(file, "AWS::EC2::SecurityGroupIngress").values(),
            *(
                {"Properties": rule}
                for group in resources(file, "AWS::EC2::SecurityGroup").values()
                for rule in group["Properties"].get("SecurityGroupIngress", [])
            ),
        ]
        assert rules
        for rule in rules:
            assert rule["Properties"].get("CidrIp") not in ("0.0.0.0/0", "::/0")
            assert rule["Properties"]["IpProtocol"] == "tcp"


@pytest.mark.parametrize("name", ["certificates", "migrate", "switchgate"])
def test_a_container_can_write_to_its_volumes_only_and_has_no_capability(name: str) -> None:
    container = containers()[name]
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"]["Drop"] == ["ALL"]
    assert container["Image"] == {"Ref": "Image"}
    writable = {one["ContainerPath"] for one in container["MountPoints"] if not one["ReadOnly"]}
    assert writable == ({"/etc/rds", "/tmp"} if name == "certificates" else {"/tmp"})


def test_the_image_is_named_by_digest() -> None:
    assert "@sha256:" in template(SWITCHGATE)["Parameters"]["Image"]["AllowedPattern"]


def test_secrets_come_from_secrets_manager_and_are_in_no_environment() -> None:
    for name, container in containers().items():
        plain = {one["Name"] for one in container.get("Environment", [])}
        assert plain <= {"AWS_REGION", "SWITCHGATE_CONFIG", "SWITCHGATE_LOCALE"}, name
    for id_, parameter in template(SWITCHGATE)["Parameters"].items():
        assert not any(word in id_ for word in ("Token", "Password")) or id_.endswith("SecretArn"), parameter


def test_every_variable_is_one_of_the_contract() -> None:
    named = {
        one.get("Name") or one["Fn::If"][1]["Name"]
        for container in containers().values()
        for one in [*container.get("Environment", []), *container.get("Secrets", [])]
    }
    own = {"RDS_CA"}
    assert own < named
    assert named - own <= contract()


def test_the_owner_of_the_tables_migrates_before_the_service_starts() -> None:
    migrate, serve = containers()["migrate"], containers()["switchgate"]
    assert migrate["Command"] == ["migrate", "--create-role"]
    assert {"ContainerName": "migrate", "Condition": "SUCCESS"} in serve["DependsOn"]
    assert [(one["Name"], one["ValueFrom"]) for one in migrate["Secrets"]] == [
        ("DATABASE_OWNER_URL", {"Ref": "DatabaseOwnerUrl"}),
        ("DATABASE_URL", {"Ref": "DatabaseServiceUrl"}),
    ]
    assert {"Name": "DATABASE_URL", "ValueFrom": {"Ref": "DatabaseServiceUrl"}} in serve["Secrets"]
    assert "DATABASE_OWNER_URL" not in {one.get("Name") for one in serve["Secrets"]}


def test_the_database_is_encrypted_backed_up_and_protected() -> None:
    database = resources(SWITCHGATE)["Database"]
    of_it = database["Properties"]
    assert database["DeletionPolicy"] == database["UpdateReplacePolicy"] == "Snapshot"
    assert of_it["StorageEncrypted"] is True
    assert of_it["DeletionProtection"] is True
    assert template(SWITCHGATE)["Parameters"]["DatabaseBackupDays"]["MinValue"] >= 1
    assert properties(SWITCHGATE, "DatabaseParameters")["Parameters"] == {"rds.force_ssl": "1"}
    for url in ("DatabaseOwnerUrl", "DatabaseServiceUrl"):
        assert "sslmode=verify-full&sslrootcert=" in properties(SWITCHGATE, url)["SecretString"]["Fn::Sub"]


def test_the_listener_speaks_https_and_forwards_hooks_only() -> None:
    listener = properties(SWITCHGATE, "Listener")
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    assert listener["Certificates"] == [{"CertificateArn": {"Ref": "CertificateArn"}}]
    assert listener["DefaultActions"][0]["Type"] == "fixed-response"
    rules = resources(SWITCHGATE, "AWS::ElasticLoadBalancingV2::ListenerRule")
    always = [rule for rule in rules.values() if "Condition" not in rule]
    (hooks,) = always
    assert hooks["Properties"]["Conditions"][0]["PathPatternConfig"]["Values"] == [
        "/hooks/codedeploy",
        "/events/codedeploy",
    ]


def test_the_hook_function_is_what_the_operations_page_says() -> None:
    hook = properties(SWITCHGATE, "HookFunction")
    assert hook["FunctionName"]["Fn::Sub"].startswith("CodeDeployHook_")
    assert (hook["Handler"], hook["Timeout"]) == ("handler.handler", 60)
    assert hook["MemorySize"] >= 256
    assert "VpcConfig" in hook
    assert hook["Environment"]["Variables"].keys() == {
        "SWITCHGATE_URL", "SWITCHGATE_HOOK_KEY_ID", "SWITCHGATE_HOOK_SECRET_ARN",
    }  # fmt: skip
    rule = properties(SWITCHGATE, "StateChanges")
    assert rule["EventPattern"]["source"] == ["aws.codedeploy"]
    assert rule["Targets"][0]["Arn"] == {"Fn::GetAtt": "HookFunction.Arn"}


def logged_events() -> set[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    words = ("gate_reminded", "report_failed", "reported", "hook_not_forwarded")
    return {word for word in words if f'"{word}"' in text}


def test_alarms_count_log_lines_that_exist() -> None:
    patterns = [
        one["Properties"]["FilterPattern"]
        for one in resources(SWITCHGATE, "AWS::Logs::MetricFilter").values()
    ]
    counted = {pattern.partition('$.event = "')[2].partition('"')[0] for pattern in patterns}
    assert counted == logged_events()
    assert len(counted) == 4


def test_there_is_an_alarm_for_everything_that_a_person_must_mend() -> None:
    alarms = resources(SWITCHGATE, "AWS::CloudWatch::Alarm")
    assert alarms.keys() == {
        "GateNearItsDeadline", "ReportFailing", "Contradicted", "NoReplica", "HookErrors", "HookNotForwarded",
    }  # fmt: skip
    metrics = {
        one["Properties"]["MetricTransformations"][0]["MetricName"]
        for one in resources(SWITCHGATE, "AWS::Logs::MetricFilter").values()
    }
    assert {one["Properties"]["MetricName"] for one in alarms.values()} == {
        *metrics,
        "HealthyHostCount",
        "Errors",
    }


def test_only_codedeploy_moves_a_domains_traffic() -> None:
    service, group = properties(DOMAIN, "Service"), properties(DOMAIN, "DeploymentGroup")
    assert service["DeploymentController"] == {"Type": "CODE_DEPLOY"}
    assert [one["TargetGroupArn"] for one in service["LoadBalancers"]] == [{"Ref": "Blue"}]
    rollback = group["AutoRollbackConfiguration"]
    assert rollback["Enabled"] is True
    assert rollback["Events"] == [
        "DEPLOYMENT_FAILURE",
        "DEPLOYMENT_STOP_ON_ALARM",
        "DEPLOYMENT_STOP_ON_REQUEST",
    ]
    assert group["AlarmConfiguration"]["Enabled"] is True
    ready = group["BlueGreenDeploymentConfiguration"]["DeploymentReadyOption"]
    assert ready == {"ActionOnTimeout": "CONTINUE_DEPLOYMENT", "WaitTimeInMinutes": 0}


def test_blue_is_kept_an_hour_and_never_not_at_all() -> None:
    kept = template(DOMAIN)["Parameters"]["BlueKeptMinutes"]
    assert kept["Default"] == 60
    assert kept["MinValue"] > 0


@pytest.mark.parametrize("id_", ["Blue", "Green", "ProductionListener", "TestListener", "Service"])
def test_a_stack_never_deletes_what_carries_traffic(id_: str) -> None:
    resource = resources(DOMAIN)[id_]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_names_of_the_eight_domains_fit() -> None:
    longest = properties(DOMAIN, "Blue")["Name"]["Fn::Sub"]
    name = longest.replace("${Prefix}", "klp-logistics").replace("${Domain}", "notification")
    assert name == "klp-logistics-int-notification-b"
    assert len(name) <= 32


def test_a_domains_hook_is_one_that_codedeploy_may_invoke() -> None:
    pattern = template(DOMAIN)["Parameters"]["HookFunctionArn"]["AllowedPattern"]
    assert "function:CodeDeployHook_" in pattern


def test_the_readme_names_every_template() -> None:
    readme = (INFRA / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in TEMPLATES if path.name not in readme] == []
