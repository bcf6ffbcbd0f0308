"""What may be wrong in a setup, and the line with which `switchgate doctor` says so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.sandbox.aws.state.hook_function import FUNCTION
from app.sandbox.aws.state.roles import CODEDEPLOY_ROLE, HOOK_ROLE, TASK_ROLE
from app.sandbox.fakes import HOOK_SECRET, KID, Fakes
from app.sandbox.people import CHANNEL, GRACE
from app.sandbox.slack.state.shapes import User

PASTED_SECRET: Final = "0123456789abcdef" * 4
OTHER_SECRET: Final = "another-hook-secret-0123456789abcdef"
NO_CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "AWS_EC2_METADATA_DISABLED": "true",
}
EXIT_STATUS: Final = {"trouble": 1, "unknown": 2, "warning": 0}


def nothing(fakes: Fakes) -> None:
    """The fault is in the environment or in the domain."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`line`: what the one line that is not ok begins with; `remedy`: what it goes on with, further on.

    `order`: fields of the domain order that are other than they should be; `environment`: variables.
    """

    name: str
    line: str
    remedy: str
    inject: Callable[[Fakes], object] = nothing
    order: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return self.line[:8].strip()

    @property
    def exit_status(self) -> int:
        return EXIT_STATUS[self.status]


def rules(text: str) -> Callable[[Fakes], object]:
    """More lines in the table of order, which is the last one."""

    def write(fakes: Fakes) -> None:
        fakes.config_file.write_text(fakes.config_file.read_text() + text)

    return write


def renamed(key: str, name: str) -> Callable[[Fakes], object]:
    """Another name in the table of order."""

    def write(fakes: Fakes) -> None:
        head, order = fakes.config_file.read_text().split("[domains.order]\n")
        lines = [f'{key} = "{name}"' if one.startswith(f"{key} =") else one for one in order.splitlines()]
        fakes.config_file.write_text("\n".join([head, "[domains.order]", *lines]))

    return write


def function(**changed: str) -> Callable[[Fakes], object]:
    """The function's environment with other values; empty: without the variable."""

    def write(fakes: Fakes) -> None:
        setup = fakes.aws.hook_setup.functions[FUNCTION]
        values = {name: value for name, value in {**setup.environment(), **changed}.items() if value}
        setup.environment = lambda: values

    return write


def refused(operation: str, kind: Any = "access_denied") -> Callable[[Fakes], object]:
    return lambda fakes: fakes.aws.faults.add(operation, kind, times=None)


def without(role: str, action: str) -> Callable[[Fakes], object]:
    return lambda fakes: fakes.aws.roles.deny(role, [action])


def grace_left(fakes: Fakes) -> None:
    fakes.slack.people.add(User(id="U0LEFT", name="left", real_name="Left", deleted=True))
    text = fakes.config_file.read_text().replace(f'"{GRACE.id}"]', '"U0LEFT"]', 1)
    fakes.config_file.write_text(text)


def shorter(fakes: Fakes) -> None:
    fakes.aws.hook_setup.functions[FUNCTION].timeout = 3


def disabled(fakes: Fakes) -> None:
    fakes.aws.hook_setup.rules[0].enabled = False


SLACK: Final = [
    Fault(
        name="the bot token is revoked",
        environment={"SLACK_BOT_TOKEN": "xoxb-another"},
        line="trouble SLACK_BOT_TOKEN: auth.test said invalid_auth.",
        remedy="Copy the bot token from the app's page.",
    ),
    Fault(
        name="a scope is missing",
        inject=lambda fakes: fakes.slack.credentials.scopes.remove("commands"),
        line="trouble scopes: missing: commands.",
        remedy="Add them under OAuth & Permissions, and install the app again.",
    ),
    Fault(
        name="a scope of less use is missing",
        inject=lambda fakes: fakes.slack.credentials.scopes.remove("groups:history"),
        line="warning scopes: missing: groups:history.",
        remedy="Add them under OAuth & Permissions, and install the app again.",
    ),
    Fault(
        name="Socket Mode does not open",
        environment={"SLACK_APP_TOKEN": "xapp-another"},
        line="trouble SLACK_APP_TOKEN: apps.connections.open said invalid_auth.",
        remedy="Make an app-level token with the scope connections:write, and turn Socket Mode on.",
    ),
    Fault(
        name="the signing secret is none",
        environment={"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "shhh"},
        line="warning SLACK_SIGNING_SECRET: is not made of the 32 hexadecimal digits that Slack gives;",
        remedy="Copy it from the app's page, Basic Information",
    ),
    Fault(
        name="the app is not in the channel",
        inject=lambda fakes: fakes.slack.people.alter(CHANNEL.id, is_member=False),
        line="trouble channel C01DEPLOY: the app is not in #deploys.",
        remedy="Invite it there: /invite",
    ),
    Fault(
        name="the channel is archived",
        inject=lambda fakes: fakes.slack.people.alter(CHANNEL.id, is_archived=True),
        line="trouble channel C01DEPLOY: #deploys is archived.",
        remedy="Name another channel in switchgate.toml.",
    ),
    Fault(
        name="a user group is empty",
        inject=lambda fakes: fakes.slack.people.alter("S0ONCALL", members=()),
        line="trouble user group S0ONCALL: nobody is in it.",
        remedy="Add people to it, or name other approvers.",
    ),
    Fault(
        name="an approver has left",
        inject=grace_left,
        line="trouble user U0LEFT: the account is deactivated.",
        remedy="Name somebody else in switchgate.toml.",
    ),
    Fault(
        name="a rule that nobody can meet",
        inject=rules("approvals = 4\n"),
        line="trouble approvers of order: 4 approvals are asked of S0ONCALL, U03GRACE, and 3 can give one.",
        remedy="Until there are more approvers, only an admin can approve it, by break glass.",
    ),
    Fault(
        name="the clock is wrong",
        inject=lambda fakes: fakes.slack.clock.advance(400),
        line="trouble clock against Slack: this machine's clock is about 400 s behind that of Slack.",
        remedy="Synchronize this machine with NTP",
    ),
    Fault(
        name="a deadline just before CodeDeploy's",
        inject=rules("deadline_minutes = 59\n"),
        line="warning deadlines: order decides after 59 minutes, 1 before CodeDeploy's own limit of an hour.",
        remedy="Write a deadline_minutes of 55 or less",
    ),
]

CODEDEPLOY: Final = [
    Fault(
        name="no credentials",
        environment=NO_CREDENTIALS,
        line="trouble AWS identity: there are no AWS credentials.",
        remedy="Give this process a role or keys.",
    ),
    Fault(
        name="expired credentials",
        inject=refused("*", "expired_token"),
        line="trouble AWS identity: AWS refuses the credentials (ExpiredTokenException).",
        remedy="Renew them, or give this process a role.",
    ),
    Fault(
        name="no such application",
        inject=renamed("application", "ghost"),
        line="trouble domain order: CodeDeploy has no ghost.",
        remedy="Correct application of [domains.order], or AWS_REGION.",
    ),
    Fault(
        name="a secret is in the place of a name",
        inject=renamed("application", HOOK_SECRET),
        line="trouble domain order: CodeDeploy has no •••.",
        remedy="Correct application of [domains.order], or AWS_REGION.",
    ),
    Fault(
        name="no such deployment group",
        inject=renamed("deployment_group", "ghost"),
        line="trouble domain order: CodeDeploy has no ghost.",
        remedy="Correct deployment_group of [domains.order], or AWS_REGION.",
    ),
    Fault(
        name="the group deploys to EC2",
        order={"compute_platform": "Server"},
        line="trouble domain order: klp-logistics-order-dg deploys to Server.",
        remedy="Switchgate holds ECS deployments only; name another deployment group.",
    ),
    Fault(
        name="the group is not blue/green",
        order={"deployment_type": "IN_PLACE"},
        line="trouble domain order: klp-logistics-order-dg is not blue/green.",
        remedy="Make it a blue/green deployment group.",
    ),
    Fault(
        name="automatic rollback is off",
        order={"auto_rollback": ()},
        line="trouble automatic rollback of order: it is off in klp-logistics-order-dg: a rejection leaves green's",
        remedy="Turn automatic rollback on in the deployment group, with DEPLOYMENT_FAILURE among its events.",
    ),
    Fault(
        name="no rollback when a deployment fails",
        order={"auto_rollback": ("DEPLOYMENT_STOP_ON_REQUEST",)},
        line="trouble automatic rollback of order: klp-logistics-order-dg does not roll back on DEPLOYMENT_FAILURE:",
        remedy="with DEPLOYMENT_FAILURE among its events.",
    ),
    Fault(
        name="no rollback when a deployment is stopped",
        order={"auto_rollback": ("DEPLOYMENT_FAILURE",)},
        line="warning automatic rollback of order: klp-logistics-order-dg does not roll back on DEPLOYMENT_STOP_ON_",
        remedy="with DEPLOYMENT_STOP_ON_REQUEST among its events.",
    ),
    Fault(
        name="blue is not kept",
        order={"termination_wait_minutes": 0},
        line="trouble blue of order: klp-logistics-order-dg ends blue's tasks as soon as traffic has moved",
        remedy="Give the group a termination wait, for example 60 minutes.",
    ),
    Fault(
        name="the AppSpec names no hook",
        order={"hooks": ()},
        line="trouble hook of order: the AppSpec of d-",
        remedy="Name the hook function there as BeforeAllowTraffic.",
    ),
    Fault(
        name="the AppSpec names the hook twice",
        order={"hooks": ("BeforeAllowTraffic", "AfterAllowTraffic")},
        line="trouble hook of order: the AppSpec of d-",
        remedy="Name it at BeforeAllowTraffic only.",
    ),
]

PERMISSIONS: Final = [
    Fault(
        name="the report is not allowed",
        inject=refused("PutLifecycleEventHookExecutionStatus"),
        line="trouble permission codedeploy:PutLifecycleEventHookExecutionStatus: AWS refuses it (AccessDenied",
        remedy="Allow codedeploy:PutLifecycleEventHookExecutionStatus to the role that this runs as",
    ),
    Fault(
        name="stopping is not allowed",
        inject=refused("StopDeployment"),
        line="warning permission codedeploy:StopDeployment: AWS refuses it (AccessDeniedException): no rollback",
        remedy="Allow codedeploy:StopDeployment to the role that this runs as (docs/permissions.md).",
    ),
    Fault(
        name="redeploying is not allowed",
        inject=without(TASK_ROLE, "codedeploy:CreateDeployment"),
        line="warning permission codedeploy:CreateDeployment: no policy of the role allows it: no rollback",
        remedy="Allow codedeploy:CreateDeployment to the role that this runs as (docs/permissions.md).",
    ),
    Fault(
        name="target health is not readable",
        inject=refused("DescribeTargetHealth"),
        line="warning permission elasticloadbalancing:DescribeTargetHealth: AWS refuses it",
        remedy="Allow elasticloadbalancing:DescribeTargetHealth to the role",
    ),
    Fault(
        name="CodeDeploy may not invoke the function",
        inject=without(CODEDEPLOY_ROLE, "lambda:InvokeFunction"),
        line="trouble role klp-logistics-codedeploy: CodeDeploy may not invoke CodeDeployHook_switchgate with it",
        remedy="AWS's managed policies do if its name begins with CodeDeployHook_.",
    ),
    Fault(
        name="the function may not answer CodeDeploy",
        inject=without(HOOK_ROLE, "codedeploy:PutLifecycleEventHookExecutionStatus"),
        line="trouble role klp-logistics-switchgate-hook: the hook function may not answer CodeDeploy:",
        remedy="Allow codedeploy:PutLifecycleEventHookExecutionStatus on * to it.",
    ),
    Fault(
        name="the function cannot recognise rollbacks",
        inject=without(HOOK_ROLE, "codedeploy:GetDeployment"),
        line="warning role klp-logistics-switchgate-hook: the hook function cannot recognise automatic rollbacks of",
        remedy="Allow codedeploy:GetDeployment on their deployment groups to it.",
    ),
    Fault(
        name="the roles are not readable",
        inject=refused("SimulatePrincipalPolicy"),
        line="unknown permissions CreateDeployment, RegisterApplicationRevision, UpdateDeploymentGroup, role",
        remedy="Allow iam:SimulatePrincipalPolicy to whoever runs this (docs/permissions.md",
    ),
    Fault(
        name="the function is not readable",
        inject=refused("GetFunctionConfiguration"),
        line="unknown function CodeDeployHook_switchgate: lambda:GetFunctionConfiguration is refused",
        remedy="Allow lambda:GetFunctionConfiguration to whoever runs this (docs/permissions.md",
    ),
    Fault(
        name="EventBridge is not readable",
        inject=refused("ListRuleNamesByTarget"),
        line="unknown state changes: events:ListRuleNamesByTarget is refused (AccessDeniedException).",
        remedy="Allow events:ListRuleNamesByTarget to whoever runs this (docs/permissions.md",
    ),
]

HOOK: Final = [
    Fault(
        name="there is no such function",
        inject=lambda fakes: fakes.aws.hook_setup.functions.clear(),
        line="trouble function CodeDeployHook_switchgate: Lambda has no such function.",
        remedy="Deploy it, or correct the AppSpec of order, user.",
    ),
    Fault(
        name="the function's time is too short",
        inject=shorter,
        line="trouble time-out of CodeDeployHook_switchgate: 3 s are too few to reach Switchgate and,",
        remedy="Give the function a time-out of 60 s.",
    ),
    Fault(
        name="the function does not know the service",
        inject=function(SWITCHGATE_URL="", SWITCHGATE_HOOK_SECRET=""),
        line="trouble environment of CodeDeployHook_switchgate: it lacks SWITCHGATE_URL and SWITCHGATE_HOOK_SECRET_ARN",
        remedy="Set them as infra/ does; if it is not Switchgate's function, name that one.",
    ),
    Fault(
        name="the function sends hooks unencrypted",
        inject=function(SWITCHGATE_URL="http://switchgate.internal"),
        line="trouble environment of CodeDeployHook_switchgate: SWITCHGATE_URL must begin with https://; plain http",
        remedy="Set it to https://switchgate.internal or the like.",
    ),
    Fault(
        name="the function is set to another event",
        inject=function(HOOK_NAME="AfterInstall"),
        line="trouble environment of CodeDeployHook_switchgate: HOOK_NAME is not BeforeAllowTraffic.",
        remedy="Take HOOK_NAME away",
    ),
    Fault(
        name="the function signs with an unknown key",
        inject=function(SWITCHGATE_HOOK_KEY_ID="2025z"),
        line="trouble environment of CodeDeployHook_switchgate: SWITCHGATE_HOOK_KEY_ID is '2025z', which is not among",
        remedy="Add the key to the service, or let the function sign with one that it has.",
    ),
    Fault(
        name="the function has key id and secret in one variable",
        inject=function(SWITCHGATE_HOOK_KEY_ID=f"2027a:{PASTED_SECRET}"),
        line="trouble environment of CodeDeployHook_switchgate: SWITCHGATE_HOOK_KEY_ID is no key id:",
        remedy="Write the key's name alone there, without its secret.",
    ),
    Fault(
        name="the function has a secret instead of the key id",
        inject=function(SWITCHGATE_HOOK_KEY_ID=PASTED_SECRET),
        line="trouble environment of CodeDeployHook_switchgate: SWITCHGATE_HOOK_KEY_ID is as long as a secret, which",
        remedy="Add the key to the service, or let the function sign with one that it has.",
    ),
    Fault(
        name="the function has another secret",
        inject=function(SWITCHGATE_HOOK_SECRET=OTHER_SECRET),
        line="trouble environment of CodeDeployHook_switchgate: its secret of the key sandbox is another than",
        remedy="Give both the same secret: SWITCHGATE_HOOK_SECRET and SWITCHGATE_HOOK_SECRETS.",
    ),
    Fault(
        name="the service has an older secret",
        inject=function(SWITCHGATE_HOOK_SECRET=OTHER_SECRET),
        environment={"SWITCHGATE_HOOK_SECRETS": f"{KID}:{OTHER_SECRET}"},
        line="trouble hook signature sandbox: the address that the function calls refuses it (mismatch).",
        remedy="Start the service again with the present SWITCHGATE_HOOK_SECRETS",
    ),
    Fault(
        name="the service has no such key",
        environment={"SWITCHGATE_HOOK_SECRETS": f"{KID}:{HOOK_SECRET},2027a:{OTHER_SECRET}"},
        line="trouble hook signature 2027a: the address that the function calls refuses it (unknown_key).",
        remedy="Start the service again with the present SWITCHGATE_HOOK_SECRETS",
    ),
    Fault(
        name="the service does not answer",
        inject=lambda fakes: fakes.service_urls.clear(),
        environment={"PORT": "0"},
        line="unknown hook signature: the service does not answer from here (the address that the function calls:",
        remedy="Run this where the service runs, while it runs.",
    ),
    Fault(
        name="something else answers",
        inject=lambda fakes: fakes.service_urls.__setitem__(0, fakes.slack.api_url),
        line="trouble hook signature sandbox: the address that the function calls answers 404, not as Switchgate",
        remedy="Look at what answers there: a load balancer, another service, or a replica that is not ready.",
    ),
    Fault(
        name="no EventBridge rule",
        inject=lambda fakes: fakes.aws.hook_setup.rules.clear(),
        line="warning state changes: no EventBridge rule sends them to CodeDeployHook_switchgate:",
        remedy='Add a rule on {"source": ["aws.codedeploy"]} with CodeDeployHook_switchgate as its target.',
    ),
    Fault(
        name="the EventBridge rule is disabled",
        inject=disabled,
        line="warning state changes: the EventBridge rule klp-logistics-switchgate is disabled:",
        remedy="Enable the rule.",
    ),
]

FAULTS: Final = [*SLACK, *CODEDEPLOY, *PERMISSIONS, *HOOK]
