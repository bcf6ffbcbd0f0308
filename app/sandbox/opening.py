"""The scene that the page opens with: two deployments that wait for a yes."""

import time
from typing import Final

from app.sandbox.cast import CHANNEL
from app.sandbox.stop_sign import StopSign
from app.sandbox.whole import Whole

SPEED: Final = 20.0
"""Stand-in seconds per real second until both wait: nobody is there yet to watch the tasks start."""

PATIENCE: Final = 15.0


def open_with_two_waiting(whole: Whole, sign: StopSign) -> None:
    """Deploys `payment` as a canary and `order` at once; the last card is the one to begin with.

    Returns when both cards ask, or when it takes too long: the page shows what there is.
    """
    aws = whole.stage.aws
    aws.speed = SPEED
    end = time.monotonic() + PATIENCE
    if sign.is_up:
        return
    for number, (domain, shift) in enumerate((("payment", "canary"), ("order", "all-at-once")), start=1):
        whole.pipeline.push(domain, shift=shift)
        while _asking(whole) < number and time.monotonic() < end and not sign.wait(0.02):
            pass
    aws.speed = 1.0


def _asking(whole: Whole) -> int:
    """How many cards have buttons."""
    return sum(
        any(block["type"] == "actions" for block in message.blocks)
        for message in whole.stage.slack.messages.in_channel(CHANNEL.id)
    )
