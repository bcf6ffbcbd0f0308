"""The Slack pane renders everything that an app may send; with the stand-ins alone."""

import pytest
from playwright.sync_api import Page, expect

from app.sandbox.fakes import Fakes
from app.sandbox.people import CHANNEL, OLU
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.shapes import Message, Shown
from tests.sandbox.slack.helpers import actions, button, modal, reason_input, section

pytestmark = pytest.mark.browser

EVIL = '<img src=x onerror="document.title=1"> <script>document.title=2</script>'


@pytest.fixture
def slack(fakes: Fakes) -> SlackStandIn:
    return fakes.slack


@pytest.fixture
def page(fakes_page: Page) -> Page:
    return fakes_page


def card(slack: SlackStandIn) -> Message:
    return slack.place(CHANNEL.id, "order asks", [section("order asks"), actions()])


def test_replies_hang_under_their_card(page: Page, slack: SlackStandIn) -> None:
    root = card(slack)
    slack.messages.post(CHANNEL.id, Shown("10 % is on green"), thread_ts=root.ts)
    replies = page.get_by_role("button", name="1 reply")
    expect(page.get_by_text("10 % is on green")).to_be_hidden()

    replies.click()
    expect(page.get_by_text("10 % is on green")).to_be_visible()

    slack.messages.post(CHANNEL.id, Shown("all of it is on green"), thread_ts=root.ts)
    expect(page.get_by_text("all of it is on green")).to_be_visible()
    expect(page.get_by_role("button", name="2 replies")).to_have_attribute("aria-expanded", "true")


def test_a_broadcast_reply_is_shown_in_the_channel_too(page: Page, slack: SlackStandIn) -> None:
    root = card(slack)
    slack.place(CHANNEL.id, "a later one")

    slack.messages.post(CHANNEL.id, Shown("the freeze is over"), thread_ts=root.ts, broadcast=True)

    shown = page.locator(".log > .entry").last
    expect(shown).to_contain_text("replied to a thread: order asks")
    expect(shown.get_by_text("the freeze is over")).to_be_visible()
    expect(page.get_by_text("the freeze is over")).to_have_count(2)
    page.get_by_role("button", name="1 reply").click()
    expect(page.locator(".replies")).to_contain_text("the freeze is over")
    expect(page.locator(".replies")).not_to_contain_text("replied to a thread")

    slack.messages.edit(CHANNEL.id, root.ts, Shown("order was approved"))
    expect(shown).to_contain_text("replied to a thread: order was approved")

    shown.get_by_role("link", name="replied to a thread:").click()
    expect(page.locator(".log > .entry").first.locator(":scope > .sl-message")).to_have_class(
        "sl-message flash"
    )
    assert len(page.context.pages) == 1


def test_an_edited_card_is_redrawn_in_place(page: Page, slack: SlackStandIn) -> None:
    root = card(slack)
    slack.place(CHANNEL.id, "a later one")
    page.get_by_role("button", name="Approve", exact=True).focus()

    slack.messages.edit(CHANNEL.id, root.ts, Shown("approved", [{**section("approved"), "block_id": "b"}]))

    expect(page.locator(".entry").first).to_contain_text("approved")
    expect(page.locator(".entry").first.locator(".sl-message")).to_be_focused()
    slack.messages.delete(CHANNEL.id, root.ts)
    expect(page.locator(".entry")).to_have_count(1)


def test_a_direct_message_shows_on_its_tab(page: Page, slack: SlackStandIn) -> None:
    slack.messages.post("D02OLU", Shown("your deployment has switched"))

    tab = page.get_by_role("tab", name="Switchgate")
    expect(tab).to_have_class("tab tab--unread")
    tab.click()

    expect(page.get_by_text("your deployment has switched")).to_be_visible()
    expect(tab).to_have_class("tab")


def test_the_home_tab_is_there_from_the_start(page: Page, slack: SlackStandIn) -> None:
    slack.views.publish(OLU.id, {"type": "home", "blocks": [section("what waits for you")]})
    page.reload()

    page.get_by_role("tab", name="Home").click()

    expect(page.get_by_text("what waits for you")).to_be_visible()


def test_what_was_typed_survives_an_update_of_the_form(page: Page, slack: SlackStandIn) -> None:
    view = slack.views.open(OLU.id, modal(reason_input()))
    field = page.get_by_label("Why?")
    field.fill("because it fails")

    slack.views.update(view.id, modal(section("Somebody else looks too."), reason_input()))

    expect(page.get_by_text("Somebody else looks too.")).to_be_visible()
    expect(field).to_have_value("because it fails")
    slack.views.clear(OLU.id)
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_nothing_that_people_write_runs(page: Page, slack: SlackStandIn) -> None:
    title = page.title()
    confirm = {
        "title": {"type": "plain_text", "text": EVIL},
        "text": {"type": "plain_text", "text": EVIL},
        "confirm": {"type": "plain_text", "text": "Yes"},
        "deny": {"type": "plain_text", "text": "No"},
    }
    slack.place(CHANNEL.id, EVIL, [section(EVIL), actions(button(confirm=confirm))])
    slack.place(CHANNEL.id, EVIL)

    page.get_by_role("button", name="Approve", exact=True).click()

    expect(page.locator("#confirm-text")).to_have_text(EVIL)
    expect(page.locator(".sl-text img, .sl-text script, #confirm img")).to_have_count(0)
    assert page.title() == title


def test_an_unreachable_app_is_reported(page: Page, slack: SlackStandIn) -> None:
    card(slack)

    page.get_by_role("button", name="Approve", exact=True).click()

    expect(page.get_by_text("Switchgate can't be reached")).to_be_visible()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_enabled()


def test_a_reload_keeps_the_tab_and_the_person(page: Page) -> None:
    page.get_by_text("Grace", exact=True).click()
    page.get_by_role("tab", name="Home").click()

    page.reload()

    expect(page.get_by_role("tab", name="Home")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("radio", name="Grace")).to_be_checked()


def test_the_message_field_comes_before_the_cards_in_the_order_of_tab(
    page: Page, slack: SlackStandIn
) -> None:
    card(slack)
    page.get_by_role("tab", name="# deploys").focus()

    page.keyboard.press("Tab")

    expect(page.locator("#say")).to_be_focused()
    assert page.locator("#say").bounding_box()["y"] > page.locator(".sl-message").bounding_box()["y"]  # type: ignore[index]
