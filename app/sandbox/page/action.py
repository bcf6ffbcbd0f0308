"""An action on the page: a validated JSON body and its result."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class ActionRequest(BaseModel):
    """A request's body. `who` is the acting person."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    who: str


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The message that the page shows; empty for none."""

    words: str = ""
    failed: bool = False


A = TypeVar("A", bound=ActionRequest)


@dataclass(frozen=True, slots=True)
class PageAction(Generic[A]):
    """`do` may raise `NotInWorkspace`, `AwsError`, `LookupError` and `ReplicaNotReady`."""

    shape: type[A]
    do: Callable[[A], Awaitable[ActionResult]]
