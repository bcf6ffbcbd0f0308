"""The scene that the page opens with: two deployments that wait for a yes."""

import time
from typing import Final

from app.sandbox.aws.pace import UNWATCHED
from app.sandbox.cast import CHANNEL
from app.sandbox.stop_sign import StopSign
from app.sandbox.whole import Whole

PATIENCE: Final = 15.0


def open_with_two_waiting(whole: Whole, sign: StopSign) -> None:
    """Deploys `payment` as a canary and `order` at once; the last card is the one to begin with.

    Returns when both cards ask, or when it takes too long: the page shows what there is. Until then the tasks
    start sooner, as nobody is there yet to watch them.
    """
    if sign.is_up:
        return
    aws = whole.stage.aws
    watched, aws.pace = aws.pace, UNWATCHED
    end = time.monotonic() + PATIENCE
    for number, (domain, shift) in enumerate((("payment", "canary"), ("order", "all-at-once")), start=1):
        whole.pipeline.push(domain, shift=shift)
        while _asking(whole) < number and time.monotonic() < end and not sign.wait(0.02):
            pass
    aws.pace = watched


def _asking(whole: Whole) -> int:
    """How many cards have buttons."""
    return sum(
        any(block["type"] == "actions" for block in message.blocks)
        for message in whole.stage.slack.messages.in_channel(CHANNEL.id)
    )
