"""The names of things, so that one kind is never passed for another."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NewType
from uuid import UUID

AWS_REGION: Final = r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$"
"""The names of regions in all of AWS's partitions, `us-gov-west-1` and `eusc-de-east-1` among them."""

AWS_ACCOUNT: Final = r"^[0-9]{12}$"

GateId = NewType("GateId", UUID)
DeploymentId = NewType("DeploymentId", str)
DomainName = NewType("DomainName", str)
UserId = NewType("UserId", str)
"""A Slack user id (U… or W…), as Slack's signed payload gives it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchKey:
    """One deployment, anywhere: deployment ids are only unique within an account and region."""

    account: str
    region: str
    deployment: DeploymentId


class ExecutionId:
    """A hook execution id. Whoever has it can answer CodeDeploy, so its repr hides it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The id itself, for the one call that needs it."""
        return self._value

    def digest(self) -> str:
        """SHA-256 in hex: the key in the database, and all that a log may show (shortened)."""
        return sha256(self._value.encode()).hexdigest()

    def __repr__(self) -> str:
        return "ExecutionId(…)"
