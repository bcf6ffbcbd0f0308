"""The smoke test: one deployment from start to end, without a browser."""

import json
import time
from collections.abc import Callable
from typing import Final

from app.sandbox.aws.deployments.pace import UNWATCHED
from app.sandbox.environment import SandboxEnvironment
from app.sandbox.people import CHANNEL, JUN, OLU
from app.sandbox.shutdown_signal import ShutdownSignal
from app.sandbox.slack.state.shapes import Message

TIMEOUT_SECONDS: Final = 60.0
REASON: Final = "The smoke test says no."

Say = Callable[[str], object]


class SmokeFailed(Exception):
    """The smoke test failed; the message says at which step."""


class SmokeRun:
    """Jun deploys `order`; Olu, who is on call, decides on the real card."""

    def __init__(self, sandbox: SandboxEnvironment, *, say: Say, shutdown: ShutdownSignal) -> None:
        self._aws = sandbox.fakes.aws
        self._slack = sandbox.fakes.slack
        self._pipeline = sandbox.pipeline
        self._say = say
        self._shutdown = shutdown
        self._domain = "order"

    def approve(self) -> None:
        """Approves, and waits until production traffic is on green. Raises `SmokeFailed`."""
        deployment, card = self._deploy()
        self._say(f"{OLU.real_name} presses Approve.")
        self._slack.press(OLU.id, card.channel, card.ts, "approve")
        self._until(lambda: self._share("green") == 100, "traffic on green")
        self._check_report(deployment, "Succeeded")

    def reject(self) -> None:
        """Rejects, and waits until the deployment has failed and traffic is still on blue. Raises `SmokeFailed`."""
        deployment, card = self._deploy()
        self._say(f"{OLU.real_name} presses Reject and says why: {REASON}")
        self._slack.press(OLU.id, card.channel, card.ts, "reject")
        self._until(lambda: self._slack.views.top(OLU.id), "the form that asks why")
        form = self._slack.views.top(OLU.id)
        if form is None:
            raise SmokeFailed("The form that asks why has gone.")
        self._slack.submit(OLU.id, form.id, {"reason": REASON})
        self._until(lambda: self._aws.deployment(deployment).over, "the deployment's end")
        status = self._aws.deployment(deployment).status
        if status != "Failed":
            raise SmokeFailed(f"The deployment should have failed, and is {status}.")
        self._check_report(deployment, "Failed")
        if self._share("blue") != 100:
            raise SmokeFailed("Traffic did not stay on blue.")

    def _deploy(self) -> tuple[str, Message]:
        """Deploys and waits for a card that can be decided."""
        watched, self._aws.pace = self._aws.pace, UNWATCHED
        deployment = self._pipeline.push(self._domain, by=JUN)
        self._say(f"{JUN.real_name} deploys {self._domain}: {deployment}")
        self._until(lambda: self._aws.deployment(deployment).waits_for, "CodeDeploy's hook")
        self._say(f"CodeDeploy waits at {self._aws.deployment(deployment).waits_for}.")
        self._aws.pace = watched
        self._until(lambda: self._card(deployment), "a card with buttons")
        card = self._card(deployment)
        if card is None:
            raise SmokeFailed("The card has gone.")
        self._say(f"The card asks in #{CHANNEL.name}: {card.text}")
        return deployment, card

    def _card(self, deployment: str) -> Message | None:
        for message in self._slack.messages.in_channel(CHANNEL.id):
            blocks = json.dumps(message.blocks)
            if message.by_app and deployment in blocks and '"action_id": "approve"' in blocks:
                return message
        return None

    def _share(self, side: str) -> int:
        return self._aws.share(self._domain)[side]

    def _check_report(self, deployment: str, answer: str) -> None:
        answers = self._aws.answers(deployment)
        if answers != [answer]:
            raise SmokeFailed(f"CodeDeploy should have been told {answer}, and was told {answers}.")
        blue, green = self._share("blue"), self._share("green")
        self._say(f"CodeDeploy was told {answer}. Traffic of {self._domain}: blue {blue}%, green {green}%.")

    def _until(self, predicate: Callable[[], object], what: str) -> None:
        end = time.monotonic() + TIMEOUT_SECONDS
        while not predicate():
            if self._shutdown.wait(0.02):
                raise SmokeFailed("Stopped before it was through.")
            if time.monotonic() > end:
                raise SmokeFailed(f"There was no sign of {what} within {TIMEOUT_SECONDS:.0f} s.")
