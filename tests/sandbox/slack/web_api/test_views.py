"""views.* and trigger ids."""

from slack_sdk.web.async_client import AsyncWebClient

from app.sandbox.slack.stand_in import SlackStandIn
from tests.sandbox.slack.helpers import (
    TinyApp,
    actions,
    button,
    modal,
    reason_input,
    refused,
    section,
    socket_mode,
)


async def a_trigger(slack: SlackStandIn, client: AsyncWebClient) -> str:
    """One that nothing was done with yet."""
    card = slack.place("C01DEPLOY", "card", [actions()])
    async with socket_mode(TinyApp(client), slack):
        return (await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")).trigger_id


async def test_a_trigger_opens_one_modal(slack: SlackStandIn, client: AsyncWebClient) -> None:
    trigger = await a_trigger(slack, client)
    bad = client.views_open(trigger_id=trigger, view=modal(title={"type": "plain_text", "text": "x" * 25}))
    answer = await refused(bad)
    assert answer["error"] == "invalid_arguments"
    assert "/view/title/text" in answer["response_metadata"]["messages"][0]
    opened = await client.views_open(trigger_id=trigger, view=modal())
    assert opened["view"]["id"] == slack.views.top("U01MINA").id  # type: ignore[union-attr]
    second = client.views_open(trigger_id=trigger, view=modal())
    assert (await refused(second))["error"] == "exchanged_trigger_id"


async def test_a_trigger_lives_three_seconds(slack: SlackStandIn, client: AsyncWebClient) -> None:
    trigger = await a_trigger(slack, client)
    slack.clock.advance(3.1)
    assert (await refused(client.views_open(trigger_id=trigger, view=modal())))[
        "error"
    ] == "expired_trigger_id"
    unknown = client.views_open(trigger_id="1.2.abc", view=modal())
    assert (await refused(unknown))["error"] == "invalid_trigger_id"


async def test_an_update_with_an_old_hash_is_refused(slack: SlackStandIn, client: AsyncWebClient) -> None:
    trigger = await a_trigger(slack, client)
    view = (await client.views_open(trigger_id=trigger, view=modal(section("loading"))))["view"]
    await client.views_update(view_id=view["id"], hash=view["hash"], view=modal())
    stale = client.views_update(view_id=view["id"], hash=view["hash"], view=modal())
    assert (await refused(stale))["error"] == "hash_conflict"
    assert (await refused(client.views_update(view_id="V0NONE", view=modal())))["error"] == "not_found"


async def test_a_stack_is_three_deep(slack: SlackStandIn, client: AsyncWebClient) -> None:
    await client.views_open(trigger_id=await a_trigger(slack, client), view=modal())
    for _ in range(2):
        await client.views_push(trigger_id=await a_trigger(slack, client), view=modal())
    fourth = client.views_push(trigger_id=await a_trigger(slack, client), view=modal())
    assert (await refused(fourth))["error"] == "push_limit_reached"


async def test_a_view_over_250_kilobytes_is_refused(slack: SlackStandIn, client: AsyncWebClient) -> None:
    trigger = await a_trigger(slack, client)
    large = modal(*(section("x" * 2900, block_id=f"b{n}") for n in range(90)))
    assert (await refused(client.views_open(trigger_id=trigger, view=large)))["error"] == "view_too_large"


async def test_the_home_tab_is_published_when_it_is_opened(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    async with socket_mode(TinyApp(client), slack):
        assert (await slack.open_home_async("U01MINA")).acked
        home = slack.views.home("U01MINA")
        assert home is not None
        pressed = await slack.press_in_view_async("U01MINA", home.id, "approve")
        assert pressed.acked
    assert home.body["blocks"][0]["text"]["text"] == "Welcome"
    assert (await refused(client.views_publish(user_id="U0NOBODY", view={"type": "home", "blocks": []})))[
        "error"
    ] == "user_not_found"


async def test_a_modal_is_no_home_tab(client: AsyncWebClient) -> None:
    answer = await refused(
        client.views_publish(user_id="U01MINA", view=modal(reason_input(), actions(button())))
    )
    assert "must be of type home" in answer["response_metadata"]["messages"][0]
