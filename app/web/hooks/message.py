"""The body of a hook: CodeDeploy's event unchanged, and what the Lambda may add."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from app.flow.lifecycle.open_gate import Hook
from app.gate.ids import AWS_ACCOUNT, AWS_REGION, DeploymentId, ExecutionId, SwitchKey

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]+$"

DEPLOYMENT: Final = r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$"


class HookMessage(BaseModel):
    """One lifecycle hook execution. Null is as good as left out."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    deployment: Annotated[
        str, Field(alias="DeploymentId", pattern=DEPLOYMENT, description="Send CodeDeploy's id, d-….")
    ]
    execution: Annotated[
        str,
        Field(
            alias="LifecycleEventHookExecutionId",
            min_length=1,
            max_length=16_384,
            pattern=PRINTABLE,
            description="Send it as CodeDeploy gives it.",
        ),
    ]
    hook_name: Annotated[
        str | None,
        Field(
            alias="HookName",
            pattern=r"^[A-Za-z]{1,40}$",
            description="Send the lifecycle event that the function hooks.",
            examples=["BeforeAllowTraffic"],
        ),
    ] = None
    account: Annotated[
        str | None,
        Field(
            alias="AccountId",
            pattern=AWS_ACCOUNT,
            description="Send the 12 digits of the deployment's account.",
            examples=["123456789012"],
        ),
    ] = None
    region: Annotated[
        str | None,
        Field(
            alias="Region",
            pattern=AWS_REGION,
            description="Send the deployment's AWS region.",
            examples=["ap-northeast-2"],
        ),
    ] = None

    def hook(self, *, sender: str, region: str) -> Hook:
        """As the use case takes it. `region` is ours, for senders that name none."""
        return Hook(
            key=SwitchKey(
                account=self.account or "",
                region=self.region or region,
                deployment=DeploymentId(self.deployment),
            ),
            execution_id=ExecutionId(self.execution),
            hook_name=self.hook_name or "BeforeAllowTraffic",
            sender=sender,
        )
