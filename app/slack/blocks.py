"""Block Kit elements within Slack's limits: https://docs.slack.dev/reference/block-kit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

Block = dict[str, Any]


def cut(text: str, max_chars: int) -> str:
    """At most `max_chars` characters."""
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"


def cut_markup(text: str, max_chars: int) -> str:
    """The same, of mrkdwn: neither a link, a mention or a date nor an escaped character is cut in two."""
    if len(text) <= max_chars:
        return text
    kept = text[: max_chars - 1]
    opened, escape = kept.rfind("<"), kept.rfind("&")
    if opened > kept.rfind(">"):
        kept = kept[:opened]
    elif escape > kept.rfind(";") and len(kept) - escape < len("&amp;"):
        kept = kept[:escape]
    return f"{kept}…"


def plain(text: str, max_chars: int) -> Block:
    return {"type": "plain_text", "text": cut(text, max_chars), "emoji": True}


def mrkdwn(text: str, max_chars: int = 3000) -> Block:
    """`verbatim`: Slack adds no links or mentions to the text."""
    return {"type": "mrkdwn", "text": cut_markup(text, max_chars), "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, 150)}


def section(text: str, *, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    return block | {"accessory": accessory} if accessory else block


def fields(pairs: Sequence[tuple[str, str]]) -> Block:
    """Up to ten label and value pairs in two columns."""
    return {
        "type": "section",
        "fields": [mrkdwn(f"*{label}*\n{value}", 2000) for label, value in pairs[:10]],
    }


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text) for text in texts[:10]]}


def divider() -> Block:
    return {"type": "divider"}


def button(
    text: str,
    *,
    action: str,
    value: str,
    label: str | None = None,
    style: str | None = None,
    confirm: Block | None = None,
) -> Block:
    """`label`: what a screen reader says instead of the text."""
    block: Block = {"type": "button", "text": plain(text, 75), "action_id": action, "value": value}
    if label:
        block["accessibility_label"] = cut(label, 75)
    if style:
        block["style"] = style
    if confirm:
        block["confirm"] = confirm
    return block


def confirm(*, title: str, text: str, yes: str, no: str, style: str = "primary") -> Block:
    """Slack's confirmation dialog. It runs in the client only and proves nothing."""
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
        "style": style,
    }


def overflow(action: str, options: Sequence[Block]) -> Block:
    """A menu of up to five options."""
    return {"type": "overflow", "action_id": action, "options": list(options)}


def overflow_option(text: str, *, value: str, url: str | None = None) -> Block:
    """`url`: is opened in the browser as well."""
    block: Block = {"text": plain(text, 75), "value": value}
    return block | {"url": url} if url else block


def actions(block_id: str, *buttons: Block) -> Block:
    return {"type": "actions", "block_id": block_id, "elements": list(buttons)}


def modal(
    *,
    callback: str,
    title: str,
    close: str,
    blocks: Sequence[Block],
    submit: str | None = None,
    metadata: str = "",
) -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, 24),
        "close": plain(close, 24),
        "blocks": list(blocks),
        "private_metadata": metadata,
    }
    return view | {"submit": plain(submit, 24)} if submit else view


def text_input(
    *, block_id: str, label: str, hint: str, max_chars: int, initial: str = "", optional: bool = False
) -> Block:
    """A multi-line answer; its action id is its block id."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": block_id,
        "multiline": True,
        "max_length": max_chars,
        "focus_on_load": True,
    }
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "hint": plain(hint, 2000),
        "optional": optional,
        "element": element | {"initial_value": initial} if initial else element,
    }


def checkboxes(
    *, block_id: str, label: str, options: Sequence[Block], ticked: Sequence[Block], optional: bool
) -> Block:
    """Up to ten options to tick; its action id is its block id."""
    element: Block = {"type": "checkboxes", "action_id": block_id, "options": list(options)}
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "optional": optional,
        "element": element | {"initial_options": list(ticked)} if ticked else element,
    }


def option(text: str, *, value: str, description: str = "") -> Block:
    found: Block = {"text": plain(text, 75), "value": value}
    return found | {"description": plain(description, 75)} if description else found


def when(at: datetime) -> str:
    """A time, shown in the time zone of each reader. Works in mrkdwn only, not in headers or confirms."""
    fallback = at.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def clock(at: datetime) -> str:
    """The time of day, as each reader's clock shows it."""
    return f"<!date^{int(at.timestamp())}^{{time}}|{at.strftime('%H:%M UTC')}>"


def clock_seconds(at: datetime) -> str:
    """The same with seconds."""
    return f"<!date^{int(at.timestamp())}^{{time_secs}}|{at.strftime('%H:%M:%S UTC')}>"


def mention(entry: str) -> str:
    """A user (U…, W…) or user group (S…) as Slack shows and notifies it."""
    return f"<!subteam^{entry}>" if entry.startswith("S") else f"<@{entry}>"
