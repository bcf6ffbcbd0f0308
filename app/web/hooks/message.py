"""What a hook says, checked."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from app.flow.lifecycle.open_gate import Hook
from app.gate.ids import AWS_ACCOUNT, AWS_REGION, DeploymentId, ExecutionId, SwitchKey

PRINTABLE: Final = r"^[^\x00-\x1f\x7f]+$"

Opaque = Annotated[str, StringConstraints(min_length=1, max_length=16_384, pattern=PRINTABLE)]
HookName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,40}$")]
Account = Annotated[str, StringConstraints(pattern=AWS_ACCOUNT)]
Region = Annotated[str, StringConstraints(pattern=AWS_REGION)]


class Malformed(Exception):
    """The body is not a hook. `problems` name the fields, never their values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class HookMessage(BaseModel):
    """CodeDeploy's event as it gives it, and what the Lambda may add; null is as good as left out."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    deployment: Annotated[
        str, Field(alias="DeploymentId"), StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")
    ]
    execution: Annotated[Opaque, Field(alias="LifecycleEventHookExecutionId")]
    hook_name: Annotated[HookName | None, Field(alias="HookName")] = None
    account: Annotated[Account | None, Field(alias="AccountId")] = None
    region: Annotated[Region | None, Field(alias="Region")] = None


def read_hook(body: bytes, *, sender: str, region: str) -> Hook:
    """The hook in a request's body. `region` is ours, for senders that name none. Raises `Malformed`."""
    try:
        message = HookMessage.model_validate_json(body)
    except ValidationError as exc:
        raise Malformed([_problem(error["loc"], error["msg"]) for error in exc.errors()]) from None
    return Hook(
        key=SwitchKey(
            account=message.account or "",
            region=message.region or region,
            deployment=DeploymentId(message.deployment),
        ),
        execution_id=ExecutionId(message.execution),
        hook_name=message.hook_name or "BeforeAllowTraffic",
        sender=sender,
    )


def _problem(where: tuple[int | str, ...], what: str) -> str:
    field = ".".join(str(part)[:64] for part in where) or "body"
    return f"{field}: {what}"
