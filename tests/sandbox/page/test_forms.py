"""Any form that an app may open is rendered and can be filled in."""

from typing import Any

from app.sandbox.page.datetime_fields import with_datetime_fields
from app.sandbox.people import MINA, OLU
from app.sandbox.slack.state.inputs import filled_in
from app.sandbox.slack.state.shapes import Shown
from tests.sandbox.page.conftest import Browser


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def field(block_id: str, **element: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(block_id),
        "element": {"action_id": block_id, **element},
    }


def options(*names: str) -> list[dict[str, Any]]:
    return [{"text": plain(name), "value": name} for name in names]


FORM: dict[str, Any] = {
    "type": "modal",
    "callback_id": "everything",
    "title": plain("Everything"),
    "submit": plain("Send"),
    "blocks": [
        field("until", type="datetimepicker", initial_date_time=1_795_413_900),
        field("which", type="static_select", options=options("order", "payment")),
        field("whom", type="users_select", initial_user=OLU.id),
        field("where", type="conversations_select"),
        field("kinds", type="checkboxes", options=options("a", "b", "c")),
        field("one", type="radio_buttons", options=options("yes", "no")),
        field(
            "many",
            type="multi_static_select",
            options=options("x", "y", "z"),
            initial_options=options("x", "z"),
        ),
        field(
            "ticked",
            type="checkboxes",
            options=[{**option, "description": plain("all at once")} for option in options("d", "e")],
            initial_options=[{**options("e")[0], "description": plain("all at once")}],
        ),
    ],
}


async def test_every_kind_of_field_is_drawn(browser: Browser) -> None:
    view = browser.harness.slack.views.open(MINA.id, FORM)

    html = (await browser.sees(MINA.id))["modal"]["html"]

    assert 'value="2026-11-23T15:05"' in html  # Seoul's
    assert '<option value="order">order</option>' in html
    assert '<option value="U02OLU" selected>@Olu Ade</option>' in html
    assert '<option value="C01DEPLOY">#deploys</option>' in html
    assert html.count('type="checkbox"') == 5
    assert html.count('type="radio"') == 2
    assert '<option value="x" selected>x</option>' in html
    assert '<option value="y">y</option>' in html
    assert html.count(" checked") == 1
    assert html.count("all at once</small>") == 2
    assert html.count('role="group"') == 3  # a label around all of them would tick the first
    assert view.id in html


async def test_what_is_filled_in_arrives_as_slack_sends_it(browser: Browser) -> None:
    slack = browser.harness.slack
    view = slack.views.open(OLU.id, FORM)
    values = {"until": "2026-11-23T06:05", "which": "payment", "kinds": ["a", "c"], "one": "yes"}

    state = filled_in(view, with_datetime_fields(view, values, viewer=slack.viewer(OLU.id)))

    assert state["until"]["until"]["selected_date_time"] == 1_795_413_900  # London's
    assert state["which"]["which"]["selected_option"]["value"] == "payment"
    assert state["whom"]["whom"]["selected_user"] == OLU.id
    assert [one["value"] for one in state["kinds"]["kinds"]["selected_options"]] == ["a", "c"]
    assert state["one"]["one"]["selected_option"]["value"] == "yes"
    assert [one["value"] for one in state["many"]["many"]["selected_options"]] == ["x", "z"]
    assert [one["value"] for one in state["ticked"]["ticked"]["selected_options"]] == ["e"]


async def test_an_empty_moment_is_none(browser: Browser) -> None:
    slack = browser.harness.slack
    view = slack.views.open(OLU.id, FORM)

    state = filled_in(view, with_datetime_fields(view, {"until": ""}, viewer=slack.viewer(OLU.id)))

    assert state["until"]["until"]["selected_date_time"] is None


async def test_a_form_that_nobody_knows_is_sent_all_the_same(browser: Browser) -> None:
    view = browser.harness.slack.views.open(OLU.id, FORM)
    values = {
        "until": "2026-11-23T06:05",
        "which": "payment",
        "where": "C01DEPLOY",
        "kinds": ["a"],
        "one": "no",
    }

    assert await browser.do("submit", OLU.id, view_id=view.id, values=values) == (
        200,
        {"words": "", "trouble": False},
    )


async def test_the_home_tab_is_shown_once_the_app_has_published_one(browser: Browser) -> None:
    browser.harness.slack.views.publish(
        OLU.id, {"type": "home", "blocks": [{"type": "section", "text": plain("Welcome home")}]}
    )

    assert "Welcome home" in (await browser.sees(OLU.id))["home"]["html"]
    assert "Welcome home" not in str((await browser.sees(MINA.id)).get("home", ""))


async def test_a_reply_names_its_root(browser: Browser) -> None:
    _, card = await browser.harness.open_gate("order")
    reply = browser.harness.slack.messages.post(card.channel, Shown("on its way"), thread_ts=card.ts)

    pieces = await browser.sees(OLU.id)
    assert pieces[f"message:{card.channel}:{reply.ts}"]["thread"] == card.ts
    assert pieces[f"message:{card.channel}:{card.ts}"]["thread"] is None
