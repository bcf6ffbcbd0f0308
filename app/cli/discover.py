"""Discovers CodeDeploy's deployment groups, so that their tables of `switchgate.toml` need not be typed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from app.aws.appspec import content_in, without_content
from app.aws.codedeploy import READS
from app.aws.deployment_groups import group_facts
from app.aws.errors import code_of
from app.aws.region import regional_session
from app.cli.domain_tables import FoundGroup

if TYPE_CHECKING:
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

NAMES_PER_CALL: Final = 100
"""BatchGetDeploymentGroups takes at most 100 names."""

HOOK: Final = re.compile(r"\bBeforeAllowTraffic\b")
"""The one event that Switchgate holds; a hook of another event is refused."""


class CannotDiscover(Exception):
    """AWS could not be asked; the message says what to do."""


class Discovery:
    """One account and region: that of the credentials. Blocks."""

    def __init__(self, *, region: str | None) -> None:
        session = regional_session(region)
        try:
            self._codedeploy: CodeDeployClient = session.client("codedeploy", config=READS)
            self._elbv2: ElasticLoadBalancingv2Client = session.client("elbv2", config=READS)
        except (BotoCoreError, ValueError) as exc:
            raise CannotDiscover(f"{type(exc).__name__}: correct AWS_REGION, or give --region") from None

    def groups(self) -> list[FoundGroup]:
        """Every deployment group, by application. Raises `CannotDiscover`."""
        try:
            return [self._found(info) for info in self._infos()]
        except ClientError as exc:
            raise CannotDiscover(
                f"AWS refused {exc.operation_name} ({code_of(exc)}): docs/permissions.md lists what this needs"
            ) from None
        except BotoCoreError as exc:
            raise CannotDiscover(f"AWS could not be asked ({type(exc).__name__})") from None

    def _infos(self) -> Iterator[Mapping[str, Any]]:
        for application in self._applications():
            names = self._group_names(application)
            for start in range(0, len(names), NAMES_PER_CALL):
                batch = names[start : start + NAMES_PER_CALL]
                found = self._codedeploy.batch_get_deployment_groups(
                    applicationName=application, deploymentGroupNames=batch
                )
                yield from cast("Sequence[Mapping[str, Any]]", found.get("deploymentGroupsInfo", []))

    def _applications(self) -> list[str]:
        page = self._codedeploy.list_applications()
        names = list(page.get("applications", []))
        while token := page.get("nextToken"):
            page = self._codedeploy.list_applications(nextToken=token)
            names += page.get("applications", [])
        return sorted(names)

    def _group_names(self, application: str) -> list[str]:
        page = self._codedeploy.list_deployment_groups(applicationName=application)
        names = list(page.get("deploymentGroups", []))
        while token := page.get("nextToken"):
            page = self._codedeploy.list_deployment_groups(applicationName=application, nextToken=token)
            names += page.get("deploymentGroups", [])
        return sorted(names)

    def _found(self, info: Mapping[str, Any]) -> FoundGroup:
        application, platform = str(info.get("applicationName", "")), str(info.get("computePlatform", ""))
        style = (info.get("deploymentStyle") or {}).get("deploymentType")
        usable = platform == "ECS" and style == "BLUE_GREEN"
        port, notes = self._port(info) if usable else (None, [])
        return FoundGroup(
            application=application,
            deployment_group=str(info.get("deploymentGroupName", "")),
            listener_port=port,
            obstacle=None if usable else _obstacle(platform),
            notes=(*notes, *self._hook_notes(application, info)) if usable else (),
        )

    def _port(self, info: Mapping[str, Any]) -> tuple[int | None, list[str]]:
        """The production listener's, and what prevents it."""
        listeners = group_facts(info).listeners
        if not listeners:
            return None, ["No listener is configured."]
        try:
            found = self._elbv2.describe_listeners(ListenerArns=[listeners[0]])
        except (ClientError, BotoCoreError) as exc:
            why = code_of(exc) if isinstance(exc, ClientError) else type(exc).__name__
            return None, [f"The listener could not be read ({why})."]
        return next((one["Port"] for one in found["Listeners"] if "Port" in one), None), []

    def _hook_notes(self, application: str, info: Mapping[str, Any]) -> list[str]:
        """Whether the AppSpec of the last deployment would have asked Switchgate."""
        last = (info.get("lastAttemptedDeployment") or {}).get("deploymentId")
        if not last:
            return ["Nothing has been deployed yet, so its hook could not be checked."]
        try:
            content = self._appspec(application, last)
        except (ClientError, BotoCoreError) as exc:
            why = code_of(exc) if isinstance(exc, ClientError) else type(exc).__name__
            return [f"The AppSpec of {last} could not be read ({why})."]
        if content is None:
            return [f"The AppSpec of {last} is not in CodeDeploy: check that it names the hook."]
        if HOOK.search(content):
            return []
        return [f"The AppSpec of {last} names no hook at BeforeAllowTraffic: Switchgate would not be asked."]

    def _appspec(self, application: str, deployment: str) -> str | None:
        revision = self._codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"].get("revision")
        if revision is None:
            return None
        location = cast("Any", without_content(revision))
        found = self._codedeploy.get_application_revision(applicationName=application, revision=location)
        return content_in(cast("Mapping[str, Any]", found.get("revision", {})))


def _obstacle(platform: str) -> str:
    if platform != "ECS":
        return f"It deploys to {platform or 'an unknown platform'}: Switchgate holds ECS deployments only."
    return "It is not blue/green: Switchgate holds blue/green deployments only."
