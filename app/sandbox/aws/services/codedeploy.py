"""CodeDeploy's writing operations, JSON 1.1."""

from typing import Any

from app.sandbox.aws.deployments.deployment_factory import can_roll_back, new_deployment, rolls_back
from app.sandbox.aws.deployments.failure_reasons import STOPPED_BY_USER
from app.sandbox.aws.deployments.machine import Machine
from app.sandbox.aws.errors import AwsError
from app.sandbox.aws.services.codedeploy_reads import CodeDeployReads, config_named
from app.sandbox.aws.services.operation import Operation, Params
from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.deployment import Deployment
from app.sandbox.aws.state.group import Group


class CodeDeploy:
    """Each operation takes the request's members and gives the answer's, or raises `AwsError`."""

    def __init__(self, account: Account, machine: Machine) -> None:
        self._account = account
        self._machine = machine
        self.operations: dict[str, Operation] = {
            **CodeDeployReads(account).operations,
            "CreateDeployment": self.create_deployment,
            "PutLifecycleEventHookExecutionStatus": self.put_status,
            "StopDeployment": self.stop_deployment,
            "ContinueDeployment": self.continue_deployment,
        }

    def create_deployment(self, params: Params) -> dict[str, Any]:
        deployment = self.create(params, creator="user")
        return {"deploymentId": deployment.id}

    def create(self, params: Params, *, creator: str) -> Deployment:
        """CreateDeployment by the user that `creator` names."""
        group = self._account.group(params.get("applicationName"), params.get("deploymentGroupName"))
        config = config_named(params.get("deploymentConfigName") or group.domain.config)
        revision = self._account.revisions.read(group.domain.application, params.get("revision"))
        reject_if_busy(group)
        deployment = new_deployment(
            self._account,
            group,
            revision=revision,
            config=config,
            description=str(params.get("description") or ""),
            creator=creator,
            auto_rollback=params.get("autoRollbackConfiguration"),
            alarms=params.get("overrideAlarmConfiguration"),
        )
        self._machine.create(group, deployment)
        return deployment

    def put_status(self, params: Params) -> dict[str, Any]:
        """PutLifecycleEventHookExecutionStatus: the first answer counts."""
        deployment = self._deployment(params)
        status = params.get("status")
        if status not in ("Succeeded", "Failed"):
            raise AwsError(
                "InvalidLifecycleEventHookExecutionStatusException",
                "Only Succeeded and Failed may be given as the status of a lifecycle event hook execution.",
            )
        execution_id = str(params.get("lifecycleEventHookExecutionId") or "")
        event = deployment.executions.get(execution_id)
        if event is None:
            raise AwsError(
                "InvalidLifecycleEventHookExecutionIdException",
                "The lifecycle event hook execution ID is invalid for this deployment.",
            )
        if event.status != "InProgress" and self._machine.takes_late_answer():
            return {"lifecycleEventHookExecutionId": execution_id}
        if event.status != "InProgress":
            raise AwsError(
                "LifecycleEventAlreadyCompletedException",
                f"The lifecycle event {event.name} of deployment {deployment.id} has completed already.",
            )
        self._machine.answer(deployment, event, status)
        return {"lifecycleEventHookExecutionId": execution_id}

    def stop_deployment(self, params: Params) -> dict[str, Any]:
        deployment = self._deployment(params)
        _reject_if_over(deployment)
        if not deployment.stopping:
            asked = params.get("autoRollbackEnabled")
            rollback = (
                rolls_back(deployment, "DEPLOYMENT_STOP_ON_REQUEST")
                if asked is None
                else bool(asked) and can_roll_back(deployment)
            )
            self._machine.stop(deployment, STOPPED_BY_USER, rollback=rollback)
        return {"status": "Pending", "statusMessage": "Deployment stop is pending"}

    def continue_deployment(self, params: Params) -> dict[str, Any]:
        """Out of READY_WAIT (the default) or TERMINATION_WAIT."""
        deployment = self._deployment(params)
        kind = params.get("deploymentWaitType") or "READY_WAIT"
        if kind not in ("READY_WAIT", "TERMINATION_WAIT"):
            raise AwsError("InvalidDeploymentWaitTypeException", "The wait type is invalid.")
        _reject_if_over(deployment)
        if kind == "READY_WAIT":
            if deployment.status != "Ready" or deployment.stopping:
                raise AwsError(
                    "DeploymentIsNotInReadyStateException", "The deployment does not have a status of Ready."
                )
            self._machine.reroute_now(deployment)
        else:
            if deployment.terminates_at is None or deployment.stopping:
                raise AwsError(
                    "InvalidDeploymentStatusException", "The deployment does not wait to end its blue tasks."
                )
            self._machine.terminate_now(deployment)
        return {}

    def _deployment(self, params: Params) -> Deployment:
        return self._account.deployment(params.get("deploymentId"))


def reject_if_busy(group: Group) -> None:
    """One deployment at a time. Raises DeploymentLimitExceededException."""
    if group.live is not None:
        raise AwsError(
            "DeploymentLimitExceededException",
            f"The Deployment Group '{group.domain.deployment_group}' already has an active Deployment "
            f"'{group.live.id}'",
        )


def _reject_if_over(deployment: Deployment) -> None:
    if deployment.over:
        raise AwsError(
            "DeploymentAlreadyCompletedException",
            f"The deployment {deployment.id} has already completed with status {deployment.status}.",
        )
