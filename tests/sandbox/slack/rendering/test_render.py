"""Cards and forms as pages show them: snapshots lie beside this file.

`UPDATE_SNAPSHOTS=1` writes them anew; look at the difference before you keep it.
"""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest

from app.sandbox.slack.blocks.validate import message_problems
from app.sandbox.slack.rendering.render import STYLESHEET, message_html, view_html
from app.sandbox.slack.rendering.render_broadcast import broadcast_html
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.shapes import Message
from tests.sandbox.slack.helpers import actions, button, modal, reason_input, section

SNAPSHOTS: Final = Path(__file__).parent / "snapshots"
VOID: Final = {"img", "input", "hr", "br"}
EVIL: Final = 'fix <!channel> &lt;!channel&gt; <script>alert("1")</script> \u202eright\u202c مرحبا'


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def waiting_card(*, korean: bool) -> list[dict[str, Any]]:
    """What a gate's card is made of, in either language."""
    title = (
        "order: 운영 트래픽을 그린으로 전환할까요?"
        if korean
        else "order: switch production traffic to green?"
    )
    approve, reject = ("승인", "거절") if korean else ("Approve", "Reject")
    confirm = {
        "title": plain("order"),
        "text": plain("It moves & stays <here>"),
        "confirm": plain(approve),
        "deny": plain("No"),
        "style": "primary",
    }
    return [
        {"type": "header", "block_id": "head", "text": plain(title)},
        {
            "type": "section",
            "block_id": "facts",
            "fields": [
                {"type": "mrkdwn", "text": "*Deployment*\n<https://console.aws/d-1?a=1&amp;b=2|d-ABC123>"},
                {"type": "mrkdwn", "text": "*Deadline*\n<!date^1795413900^{date_short_pretty} {time}|later>"},
                {"type": "mrkdwn", "text": "*Who*\n<!subteam^S0ONCALL>, <@U02OLU>"},
            ],
        },
        section("*Description*\n> feat: 주문 생성 &lt;!channel&gt; :rocket:", block_id="what"),
        actions(
            button(text=plain(approve), style="primary", confirm=confirm),
            button("reject", text=plain(reject), style="danger"),
        ),
        {"type": "divider", "block_id": "line"},
        {
            "type": "context",
            "block_id": "foot",
            "elements": [{"type": "mrkdwn", "text": ":hourglass: 55 min"}],
        },
    ]


class Balance(HTMLParser):
    """Complains when a tag is not closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def is_balanced(html: str) -> bool:
    parser = Balance()
    parser.feed(html)
    return not parser.open


def same_as_snapshot(name: str, html: str) -> bool:
    """Compares, one element a line; ids that differ from run to run are evened out."""
    even = re.sub(r"V\d{6}[0-9A-F]{4}", "V0", html)
    text = even.replace("><", ">\n<") + "\n"
    path = SNAPSHOTS / f"{name}.html"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") == text


def placed(slack: SlackStandIn, blocks: list[dict[str, Any]], text: str = "order asks") -> Message:
    assert message_problems(blocks) == []
    return slack.place("C01DEPLOY", text, blocks)


@pytest.mark.parametrize(("user", "korean"), [("U02OLU", False), ("U01MINA", True)], ids=["en", "ko"])
def test_a_waiting_card(slack: SlackStandIn, user: str, korean: bool) -> None:
    html = message_html(placed(slack, waiting_card(korean=korean)), viewer=slack.viewer(user))
    assert is_balanced(html)
    assert same_as_snapshot(f"waiting-{'ko' if korean else 'en'}", html)


def test_text_from_outside_is_escaped_and_only_real_markup_pings(slack: SlackStandIn) -> None:
    html = message_html(placed(slack, [section(EVIL, block_id="evil")]), viewer=slack.viewer("U02OLU"))
    assert is_balanced(html)
    assert html.count("sl-broadcast") == 1
    assert "<script" not in html
    assert "&lt;!channel&gt; &lt;script&gt;" in html
    assert 'dir="auto"' in html
    assert same_as_snapshot("outside", html)


def test_a_message_without_blocks_shows_its_text_and_that_it_was_edited(slack: SlackStandIn) -> None:
    message = slack.place("C01DEPLOY", "see https://x.y")
    slack.messages.edit("C01DEPLOY", message.ts, message.shown)
    html = message_html(slack.messages.get("C01DEPLOY", message.ts), viewer=slack.viewer("U02OLU"))
    assert 'href="https://x.y"' in html
    assert "(edited)" in html


def test_an_ephemeral_says_that_only_you_see_it(slack: SlackStandIn) -> None:
    shown = slack.place("C01DEPLOY", "too late").shown
    whisper = slack.messages.post("C01DEPLOY", shown, only_for="U01MINA")
    assert "나만 볼 수 있음" in message_html(whisper, viewer=slack.viewer("U01MINA"))


@pytest.mark.parametrize(
    ("user", "line"), [("U02OLU", "replied to a thread:"), ("U01MINA", "스레드에 댓글을 남겼습니다:")]
)
def test_a_broadcast_reply_names_its_thread(slack: SlackStandIn, user: str, line: str) -> None:
    root = slack.place("C01DEPLOY", "order &lt;asks&gt;\nand says more")
    shown = slack.place("C01DEPLOY", "the freeze is over").shown
    reply = slack.messages.post("C01DEPLOY", shown, thread_ts=root.ts, broadcast=True)
    link = slack.permalink(root)

    html = broadcast_html(reply, root=root, link=link, viewer=slack.viewer(user))

    assert is_balanced(html)
    assert f'href="{link}"' in html
    assert line in html
    assert "order &lt;asks&gt;</span>" in html
    assert "says more" not in html
    assert "sl-replied" in STYLESHEET.read_text(encoding="utf-8")
    assert line not in message_html(reply, viewer=slack.viewer(user))


def test_buttons_say_what_pressing_them_needs(slack: SlackStandIn) -> None:
    message = placed(slack, [actions(button(value='{"g": 1}'))])
    html = message_html(message, viewer=slack.viewer("U02OLU"))
    for said in (
        'data-action-id="approve"',
        'data-block-id="decide"',
        'data-channel="C01DEPLOY"',
        f'data-ts="{message.ts}"',
        'data-value="{&quot;g&quot;: 1}"',
    ):
        assert said in html


def test_a_form_keeps_what_was_typed_and_shows_what_is_wrong(slack: SlackStandIn) -> None:
    choice = {
        "type": "input",
        "block_id": "kind",
        "optional": True,
        "label": plain("Kind"),
        "element": {
            "type": "static_select",
            "action_id": "kind",
            "options": [{"text": plain("Bug"), "value": "bug"}, {"text": plain("Data"), "value": "data"}],
        },
    }
    view = slack.views.open("U02OLU", modal(reason_input(hint=plain("In a sentence")), choice))
    view = slack.views.show_errors(view.id, {"reason": "Say <more>"})
    html = view_html(view, viewer=slack.viewer("U02OLU"), values={"reason": "no <b>", "kind": "data"})
    assert is_balanced(html)
    assert same_as_snapshot("form", html)


def test_a_home_tab_is_drawn_without_a_frame(slack: SlackStandIn) -> None:
    image = {"type": "image", "block_id": "i", "image_url": "https://x.y/z.png", "alt_text": 'a "cat"'}
    body = {"type": "home", "blocks": [section("Welcome", block_id="w", accessory=button()), image]}
    html = view_html(slack.views.publish("U02OLU", body), viewer=slack.viewer("U02OLU"))
    assert is_balanced(html)
    assert same_as_snapshot("home", html)


def test_every_class_that_is_drawn_is_dressed(slack: SlackStandIn) -> None:
    message = placed(slack, waiting_card(korean=False))
    form = slack.views.open("U02OLU", modal(reason_input(hint=plain("h"))))
    viewer = slack.viewer("U02OLU")
    html = message_html(message, viewer=viewer) + view_html(form, viewer=viewer)
    classes = {name for group in re.findall(r'class="([^"]+)"', html) for name in group.split()}
    css = STYLESHEET.read_text(encoding="utf-8")
    assert {name for name in classes if f".{name}" not in css} == set()
