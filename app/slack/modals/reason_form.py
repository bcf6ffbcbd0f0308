"""The form that asks for a reason, and the notice that replaces it when the request is denied."""

from collections.abc import Sequence
from typing import Final

from app.slack.blocks import Block, modal, section, text_input

REASON: Final = "reason"
"""The block id of the reason."""

MAX_REASON_CHARS: Final = 1000


def reason_form(
    callback: str,
    blocks: Sequence[Block],
    *,
    title: str,
    label: str,
    hint: str,
    submit: str,
    close: str,
    metadata: str,
    block_id: str = REASON,
    initial: str = "",
    optional: bool = False,
) -> Block:
    """The modal: `blocks`, then the reason. `optional`: it may stay empty."""
    reason = text_input(
        block_id=block_id,
        label=label,
        hint=hint,
        max_chars=MAX_REASON_CHARS,
        initial=initial,
        optional=optional,
    )
    return modal(
        callback=callback,
        title=title,
        submit=submit,
        close=close,
        metadata=metadata,
        blocks=[*blocks, reason],
    )


def denial_notice(text: str, *, title: str, close: str) -> Block:
    """The view that replaces a form whose request was denied."""
    return modal(callback="notice", title=title, close=close, blocks=[section(text)])
