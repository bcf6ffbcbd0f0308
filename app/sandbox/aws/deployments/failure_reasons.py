"""The reasons why a deployment failed, in CodeDeploy's words where they are known."""

from typing import Final

from app.sandbox.aws.state.deployment import Failure


def alarm_active(alarm: str) -> Failure:
    """The alarm of this name stopped the deployment, or was on already when it began."""
    return Failure(
        "ALARM_ACTIVE",
        "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, "
        f"and the affected deployments have been stopped. Activated alarms: {alarm}",
    )


HOOK_FAILED: Final = Failure(
    "HOOK_EXECUTION_FAILURE",
    "The deployment failed because one or more of the lifecycle event validation functions failed.",
)
CALLBACK_MISSING: Final = Failure(
    "HOOK_EXECUTION_FAILURE",
    "The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback "
    "within one hour after a deployment hook is invoked.",
)
STOPPED_BY_USER: Final = Failure("MANUAL_STOP", "The deployment was stopped by a user.")
READY_TIMEOUT: Final = Failure(
    "MANUAL_STOP", "The deployment was stopped because traffic was not rerouted within the wait time."
)
INACTIVE_TASK_DEFINITION: Final = Failure(
    "ECS_UPDATE_ERROR",
    "The ECS service cannot be updated due to an unexpected error: TaskDefinition is inactive "
    "(Service: AmazonECS; Status Code: 400; Error Code: ClientException).",
)
NO_TASK_DEFINITION: Final = Failure(
    "ECS_UPDATE_ERROR", "The ECS service cannot be updated: the task definition does not exist."
)
