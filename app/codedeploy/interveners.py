"""What people have CodeDeploy do after the decision: stop, deploy what served before, end blue."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from app.codedeploy.client import CodeDeploy
from app.codedeploy.errors import code_of, sort_read
from app.flow.codedeploy_ports import AlreadyOver, AnotherRuns, InterventionRefused, NoSuchDeployment
from app.gate.ids import SwitchKey

if TYPE_CHECKING:
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_codedeploy.type_defs import DeploymentInfoTypeDef

T = TypeVar("T")

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


class CodeDeployInterveners:
    """See `app.flow.codedeploy_ports.Interveners`. Each call is tried once: whether again is the loop's to decide."""

    def __init__(self, codedeploy: CodeDeploy) -> None:
        self._codedeploy = codedeploy

    async def stop(self, key: SwitchKey) -> None:
        """StopDeployment; with `autoRollbackEnabled`, or the traffic might stay split as it was."""
        await self._tell(
            lambda: self._client(key).stop_deployment(deploymentId=key.deployment, autoRollbackEnabled=True)
        )

    async def finish(self, key: SwitchKey) -> None:
        """ContinueDeployment out of the termination wait."""
        await self._tell(
            lambda: self._client(key).continue_deployment(
                deploymentId=key.deployment, deploymentWaitType="TERMINATION_WAIT"
            )
        )

    async def redeploy_previous(self, key: SwitchKey, *, mark: str, description: str) -> str:
        """CreateDeployment of `previousRevision`. It has no idempotency token, so `mark` in the description
        tells a deployment that an earlier try of ours has made."""
        return await self._tell(lambda: self._redeploy(key, mark, f"{description} [{mark}]"))

    def _redeploy(self, key: SwitchKey, mark: str, description: str) -> str:
        client = self._client(key)
        taken_back = client.get_deployment(deploymentId=key.deployment)["deploymentInfo"]
        application, group = taken_back["applicationName"], taken_back["deploymentGroupName"]
        found = client.get_deployment_group(applicationName=application, deploymentGroupName=group)
        latest = found["deploymentGroupInfo"].get("lastAttemptedDeployment", {}).get("deploymentId")
        if latest and latest != key.deployment:
            made = _later(client.get_deployment(deploymentId=latest)["deploymentInfo"], mark)
            if made is not None:
                return made
        revision = taken_back.get("previousRevision")
        if not revision:
            raise InterventionRefused("CodeDeploy names no previous revision")
        created = client.create_deployment(
            applicationName=application,
            deploymentGroupName=group,
            revision=revision,
            description=description,
        )
        return created["deploymentId"]

    def _client(self, key: SwitchKey) -> "CodeDeployClient":
        return self._codedeploy.boto(key.region, answers=True)

    async def _tell(self, work: Callable[[], T]) -> T:
        try:
            return await self._codedeploy.in_thread(work, answers=True)
        except (ClientError, BotoCoreError) as trouble:
            raise _sorted(trouble) from None


def _later(info: "DeploymentInfoTypeDef", mark: str) -> str | None:
    """The id of our own earlier try; None where the later deployment is out of the way. Raises otherwise."""
    status = info.get("status", "")
    if mark in info.get("description", ""):
        return info["deploymentId"]
    if status not in OVER:
        raise AnotherRuns(info.get("deploymentId", "another deployment"))
    if status == "Succeeded":
        raise InterventionRefused(f"a later deployment serves: {info.get('deploymentId')}")
    return None


def _sorted(trouble: ClientError | BotoCoreError) -> Exception:
    if isinstance(trouble, ClientError):
        code = code_of(trouble)
        if code == "DeploymentAlreadyCompletedException":
            return AlreadyOver(code)
        if code == "DeploymentLimitExceededException":
            return AnotherRuns(code)
        if code in FINAL:
            return InterventionRefused(code)
    sorted_ = sort_read(trouble)
    return InterventionRefused(str(sorted_)) if isinstance(sorted_, NoSuchDeployment) else sorted_
