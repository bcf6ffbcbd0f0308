"""Executes interventions: stops a deployment, redeploys the previous revision, terminates blue."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError

from app.aws.codedeploy import CodeDeploy
from app.aws.errors import CREDENTIALS, code_of, read_error
from app.aws.previous_revision import redeployment
from app.flow.ports.codedeploy import (
    AlreadyOver,
    AnotherDeploymentActive,
    InterventionRefused,
    NoSuchDeployment,
    NothingToRedeploy,
    Redeployed,
)
from app.gate.ids import SwitchKey

if TYPE_CHECKING:
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_codedeploy.type_defs import (
        AlarmConfigurationTypeDef,
        DeploymentGroupInfoTypeDef,
        DeploymentInfoTypeDef,
    )

T = TypeVar("T")

ALL_AT_ONCE: Final = "CodeDeployDefault.ECSAllAtOnce"
"""An undo redeploys a revision that has served before, so it needs no canary."""

NO_ALARMS: "Final[AlarmConfigurationTypeDef]" = {"enabled": False}
"""The alarm of the switch that is taken back still rings: it must not stop what ends it.

CreateDeployment takes it from whoever may UpdateDeploymentGroup.
"""

OVER: Final = frozenset({"Succeeded", "Failed", "Stopped"})
FINAL: Final = frozenset(
    {
        "DeploymentDoesNotExistException",
        "DeploymentGroupDoesNotExistException",
        "DeploymentGroupNameRequiredException",
        "ApplicationDoesNotExistException",
        "InvalidDeploymentIdException",
        "DeploymentIdRequiredException",
        "UnsupportedActionForDeploymentTypeException",
        "DeploymentIsNotInReadyStateException",
        "InvalidDeploymentStatusException",
        "InvalidDeploymentWaitTypeException",
        "InvalidRevisionException",
        "RevisionDoesNotExistException",
        "RevisionRequiredException",
        "DescriptionTooLongException",
        "InvalidRoleException",
    }
)


class CodeDeployControl:
    """See `app.flow.ports.codedeploy.DeploymentControl`. Each call is made once; the worker decides about retries."""

    def __init__(self, codedeploy: CodeDeploy) -> None:
        self._codedeploy = codedeploy

    async def stop(self, key: SwitchKey) -> None:
        """StopDeployment; with `autoRollbackEnabled`, or the traffic might stay split as it was."""
        await self._call(
            lambda: self._client(key).stop_deployment(deploymentId=key.deployment, autoRollbackEnabled=True)
        )

    async def finish(self, key: SwitchKey) -> None:
        """ContinueDeployment out of the termination wait."""
        await self._call(
            lambda: self._client(key).continue_deployment(
                deploymentId=key.deployment, deploymentWaitType="TERMINATION_WAIT"
            )
        )

    async def redeploy_previous(
        self, key: SwitchKey, *, blue: str | None, idempotency_tag: str, description: str
    ) -> Redeployed:
        """CreateDeployment of the previous revision. It has no idempotency token, so an earlier attempt is found by
        `idempotency_tag` in the description."""
        tagged = f"{description} [{idempotency_tag}]"
        return await self._call(lambda: self._redeploy(key, blue, idempotency_tag, tagged))

    def _redeploy(
        self, key: SwitchKey, blue: str | None, idempotency_tag: str, description: str
    ) -> Redeployed:
        client = self._client(key)
        rolled_back = client.get_deployment(deploymentId=key.deployment)["deploymentInfo"]
        application, group = rolled_back["applicationName"], rolled_back["deploymentGroupName"]
        found = client.get_deployment_group(applicationName=application, deploymentGroupName=group)
        settings = found["deploymentGroupInfo"]
        latest = settings.get("lastAttemptedDeployment", {}).get("deploymentId")
        if latest and latest != key.deployment:
            made = _own_attempt(client.get_deployment(deploymentId=latest)["deploymentInfo"], idempotency_tag)
            if made is not None:
                alarms_off = made.get("overrideAlarmConfiguration", {}).get("enabled") is False
                return Redeployed(deployment=latest, alarms_on=_has_alarms(settings) and not alarms_off)
        reader = self._codedeploy.revision_reader(key.region)
        plan = redeployment(cast("dict[str, Any]", rolled_back), blue=blue, read=reader)
        if plan.location is None:
            raise NothingToRedeploy(plan.previous)
        asked = {
            "applicationName": application,
            "deploymentGroupName": group,
            "deploymentConfigName": ALL_AT_ONCE,
            "revision": plan.location,
            "description": description,
        }
        created, alarms_off = _create(client, asked)
        return Redeployed(deployment=created, alarms_on=_has_alarms(settings) and not alarms_off)

    def _client(self, key: SwitchKey) -> "CodeDeployClient":
        return self._codedeploy.boto(key.region, answers=True)

    async def _call(self, work: Callable[[], T]) -> T:
        try:
            return await self._codedeploy.in_thread(work, answers=True)
        except (ClientError, BotoCoreError) as exc:
            raise _intervention_error(exc) from None


def _create(client: "CodeDeployClient", asked: dict[str, Any]) -> tuple[str, bool]:
    """The new deployment's id, and whether the group's alarms are off for it."""
    try:
        created = client.create_deployment(**asked, overrideAlarmConfiguration=NO_ALARMS)
    except ClientError as exc:
        if code_of(exc) not in CREDENTIALS:
            raise
    else:
        return created["deploymentId"], True
    # Perhaps denied only because of the alarms. An undo that an alarm may stop is better than none.
    return client.create_deployment(**asked)["deploymentId"], False


def _has_alarms(settings: "DeploymentGroupInfoTypeDef") -> bool:
    alarms = settings.get("alarmConfiguration", {})
    return bool(alarms.get("enabled")) and bool(alarms.get("alarms"))


def _own_attempt(info: "DeploymentInfoTypeDef", idempotency_tag: str) -> "DeploymentInfoTypeDef | None":
    """The later deployment if an earlier attempt of ours created it; None if it is over. Raises otherwise."""
    status = info.get("status", "")
    if idempotency_tag in info.get("description", ""):
        return info
    if status not in OVER:
        raise AnotherDeploymentActive(info.get("deploymentId", "another deployment"))
    if status == "Succeeded":
        raise InterventionRefused(f"a later deployment serves: {info.get('deploymentId')}")
    return None


def _intervention_error(exc: ClientError | BotoCoreError) -> Exception:
    if isinstance(exc, ClientError):
        code = code_of(exc)
        if code == "DeploymentAlreadyCompletedException":
            return AlreadyOver(code)
        if code == "DeploymentLimitExceededException":
            return AnotherDeploymentActive(code)
        if code in FINAL:
            return InterventionRefused(code)
    error = read_error(exc)
    return InterventionRefused(str(error)) if isinstance(error, NoSuchDeployment) else error
