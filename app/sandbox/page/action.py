"""What somebody does on the page: a JSON body, checked, and what is said about it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class ActionRequest(BaseModel):
    """A request's body. `who` acts."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    who: str


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What the page says about it; empty: what happened shows by itself."""

    words: str = ""
    trouble: bool = False


A = TypeVar("A", bound=ActionRequest)


@dataclass(frozen=True, slots=True)
class PageAction(Generic[A]):
    """`do` may raise `NotInWorkspace`, `AwsError`, `LookupError` and `ReplicaNotReady`."""

    shape: type[A]
    do: Callable[[A], Awaitable[ActionResult]]
