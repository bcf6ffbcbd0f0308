"""Seeds the page with two deployments that wait for approval."""

import time
from typing import Final

from app.sandbox.aws.deployments.pace import UNWATCHED
from app.sandbox.environment import SandboxEnvironment
from app.sandbox.people import CHANNEL
from app.sandbox.shutdown_signal import ShutdownSignal

TIMEOUT_SECONDS: Final = 15.0


def seed_two_waiting_deployments(sandbox: SandboxEnvironment, shutdown: ShutdownSignal) -> None:
    """Deploys `payment` as a canary and `order` all at once; the card of `order` is the latest.

    Returns when both cards can be decided, or when that takes too long. Until then tasks start faster, because nobody
    watches them yet.
    """
    if shutdown.requested:
        return
    aws = sandbox.fakes.aws
    watched, aws.pace = aws.pace, UNWATCHED
    end = time.monotonic() + TIMEOUT_SECONDS
    for number, (domain, shift) in enumerate((("payment", "canary"), ("order", "all-at-once")), start=1):
        sandbox.pipeline.push(domain, shift=shift)
        while _cards_with_buttons(sandbox) < number and time.monotonic() < end and not shutdown.wait(0.02):
            pass
    aws.pace = watched


def _cards_with_buttons(sandbox: SandboxEnvironment) -> int:
    """The number of cards with buttons."""
    return sum(
        any(block["type"] == "actions" for block in message.blocks)
        for message in sandbox.fakes.slack.messages.in_channel(CHANNEL.id)
    )
