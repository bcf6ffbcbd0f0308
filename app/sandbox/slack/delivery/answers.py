"""The results of user actions in Slack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.sandbox.slack.state.shapes import Message, View


@dataclass(frozen=True, kw_only=True, slots=True)
class Ack:
    """How the app took a payload. `seconds` is real time; `body` is what came with the ack, None: nothing.

    `via` is how it was delivered; `nowhere`: no socket is connected and no request URL is set. `status` is
    HTTP's, None over a socket. `error` is what Slack shows the person when it failed:
    `operation_timeout` (no ack within 3 s), `dispatch_failed` (no such place, or an HTTP error).
    """

    acked: bool
    seconds: float
    via: Literal["socket", "http", "nowhere"]
    body: Mapping[str, Any] | str | None = None
    status: int | None = None
    error: Literal["", "operation_timeout", "dispatch_failed"] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PressResult:
    """A press, or anything else that only needs an ack. `trigger_id` is what the app may open a modal with."""

    ack: Ack
    trigger_id: str

    @property
    def acked(self) -> bool:
        return self.ack.acked


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitResult:
    """A modal, submitted. `outcome` is what the person sees happen to it.

    `not_sent`: the client itself refused, because a required input is empty or too long. `failed`: no
    answer, or one that Slack does not take; then the modal stays and `problems` says why. `view` is what
    is on top now.
    """

    outcome: Literal["closed", "errors", "updated", "pushed", "cleared", "not_sent", "failed"]
    ack: Ack | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    view: View | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SlashResult:
    """A command, given. `message` is the answer that came with the ack, if any."""

    ack: Ack
    message: Message | None = None
    problems: tuple[str, ...] = ()
