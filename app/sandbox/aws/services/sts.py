"""STS's one read, over the Query protocol. It needs no permission."""

from typing import Any, Final

from app.sandbox.aws.services.operation import Operation, Params
from app.sandbox.aws.state.roles import TASK_ROLE
from app.sandbox.aws.state.topology import ACCOUNT

CALLER: Final = f"arn:aws:sts::{ACCOUNT}:assumed-role/{TASK_ROLE}/0a1b2c3d4e5f"


class Sts:
    """GetCallerIdentity: whoever calls is a task with the service's role."""

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {"GetCallerIdentity": self.get_caller_identity}

    def get_caller_identity(self, params: Params) -> dict[str, Any]:
        return {"Arn": CALLER, "UserId": "AROASANDBOXSANDBOX00:0a1b2c3d4e5f", "Account": ACCOUNT}
