"""chat.* and what can be read again, through the real SDK."""

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.credentials import APP_TOKEN, BOT_TOKEN
from tests.sandbox.slack.helpers import actions, refused, section

CARD = {"event_type": "switchgate_gate", "event_payload": {"gate": "g-1"}}


async def test_a_post_is_in_the_channel(slack: SlackStandIn, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(
        channel="C01DEPLOY", text="order asks", blocks=[section("*order*")]
    )
    [message] = slack.messages.in_channel("C01DEPLOY")
    assert (answer["channel"], answer["ts"]) == ("C01DEPLOY", message.ts)
    assert answer["message"]["blocks"][0]["block_id"] == message.blocks[0]["block_id"] != ""
    assert message.text == "order asks"


async def test_an_update_with_text_alone_deletes_the_blocks(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(
        channel="C01DEPLOY", text="before", blocks=[section()], metadata=CARD
    )
    await client.chat_update(channel="C01DEPLOY", ts=posted["ts"], text="both", blocks=[section("new")])
    both = slack.messages.get("C01DEPLOY", posted["ts"])
    assert (both.blocks[0]["text"]["text"], both.edited_at, both.metadata) == ("new", None, CARD)
    await client.chat_update(channel="C01DEPLOY", ts=posted["ts"], text="after")
    after = slack.messages.get("C01DEPLOY", posted["ts"])
    assert (after.blocks, after.edited_at is not None) == ((), True)
    assert [shown.text for shown in after.earlier] == ["before", "both"]


async def test_only_the_apps_own_messages_can_be_changed(slack: SlackStandIn, client: AsyncWebClient) -> None:
    theirs = slack.place("C01DEPLOY", "hi", user="U01MINA")
    update = client.chat_update(channel="C01DEPLOY", ts=theirs.ts, text="x")
    assert (await refused(update))["error"] == "cant_update_message"
    delete = client.chat_delete(channel="C01DEPLOY", ts=theirs.ts)
    assert (await refused(delete))["error"] == "cant_delete_message"


async def test_a_deleted_message_is_gone(slack: SlackStandIn, client: AsyncWebClient) -> None:
    ts = str((await client.chat_postMessage(channel="C01DEPLOY", text="x"))["ts"])
    await client.chat_delete(channel="C01DEPLOY", ts=ts)
    assert slack.messages.in_channel("C01DEPLOY") == []
    again = client.chat_update(channel="C01DEPLOY", ts=ts, text="y")
    assert (await refused(again))["error"] == "message_not_found"


async def test_an_ephemeral_is_seen_by_one_person_and_found_by_nobody(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    answer = await client.chat_postEphemeral(channel="C01DEPLOY", user="U02OLU", text="too late")
    assert [m.text for m in slack.messages.ephemerals("U02OLU")] == ["too late"]
    assert slack.messages.in_channel("C01DEPLOY", viewer="U01MINA") == []
    assert (await client.conversations_history(channel="C01DEPLOY"))["messages"] == []
    update = client.chat_update(channel="C01DEPLOY", ts=answer["message_ts"], text="x")
    assert (await refused(update))["error"] == "message_not_found"
    gone = client.chat_postEphemeral(channel="C01DEPLOY", user="U03GONE", text="x")
    assert (await refused(gone))["error"] == "user_not_in_channel"


async def test_places_where_the_app_may_not_speak(client: AsyncWebClient) -> None:
    errors = {
        channel: (await refused(client.chat_postMessage(channel=channel, text="x")))["error"]
        for channel in ("C0NOWHERE", "C02ORDER", "C03SECRET", "C04OLD", "U0SWITCHGATE")
    }
    assert errors == {
        "C0NOWHERE": "channel_not_found",
        "C02ORDER": "not_in_channel",
        "C03SECRET": "channel_not_found",
        "C04OLD": "is_archived",
        "U0SWITCHGATE": "cannot_dm_bot",
    }


async def test_write_public_opens_public_channels(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.credentials.scopes.add("chat:write.public")
    assert (await client.chat_postMessage(channel="C02ORDER", text="x"))["ok"]


async def test_a_post_to_a_person_goes_to_their_direct_messages(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    answer = await client.chat_postMessage(channel="U01MINA", text="hello")
    assert answer["channel"] == "D01MINA"
    assert slack.people.channel("D01MINA").is_im


async def test_refused_texts_say_why(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C01DEPLOY", text="x")
    cases = {
        "no_text": client.api_call("chat.postMessage", json={"channel": "C01DEPLOY", "text": " "}),
        "msg_too_long": client.chat_update(channel="C01DEPLOY", ts=posted["ts"], text="x" * 4001),
        "invalid_blocks_format": client.api_call(
            "chat.postMessage", data={"channel": "C01DEPLOY", "text": "x", "blocks": "[oops"}
        ),
        "invalid_metadata_format": client.chat_postMessage(
            channel="C01DEPLOY", text="x", metadata={"event_type": "x"}
        ),
        "thread_not_found": client.chat_postMessage(channel="C01DEPLOY", text="x", thread_ts="1.000000"),
    }
    for error, call in cases.items():
        assert (await refused(call))["error"] == error


async def test_refused_blocks_name_the_place(client: AsyncWebClient) -> None:
    answer = await refused(
        client.chat_postMessage(channel="C01DEPLOY", text="x", blocks=[section("y" * 3001)])
    )
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_form_bodies_are_taken_like_json(slack: SlackStandIn, session: ClientSession) -> None:
    form = {"token": BOT_TOKEN, "channel": "C01DEPLOY", "text": "form", "blocks": '[{"type": "divider"}]'}
    async with session.post(f"{slack.api_url}chat.postMessage", data=form) as response:
        assert (await response.json())["ok"] is True
    [message] = slack.messages.in_channel("C01DEPLOY")
    assert (message.text, message.blocks[0]["type"]) == ("form", "divider")
    assert BOT_TOKEN not in slack.traffic()


async def test_history_is_newest_first_in_pages_with_metadata_on_request(client: AsyncWebClient) -> None:
    stamps = [
        (await client.chat_postMessage(channel="C01DEPLOY", text=f"m{n}", metadata=CARD))["ts"]
        for n in range(3)
    ]
    await client.chat_postMessage(channel="C01DEPLOY", text="reply", thread_ts=stamps[0])
    first = await client.conversations_history(channel="C01DEPLOY", limit=2, include_all_metadata=True)
    assert [m["text"] for m in first["messages"]] == ["m2", "m1"]
    assert (first["has_more"], first["messages"][0]["metadata"]) == (True, CARD)
    cursor = first["response_metadata"]["next_cursor"]
    [last] = (await client.conversations_history(channel="C01DEPLOY", cursor=cursor))["messages"]
    assert ("metadata" in last, last["reply_count"]) == (False, 1)
    later = await client.conversations_history(channel="C01DEPLOY", oldest=stamps[1])
    assert [m["text"] for m in later["messages"]] == ["m2"]
    thread = await client.conversations_replies(channel="C01DEPLOY", ts=stamps[0])
    assert [m["text"] for m in thread["messages"]] == ["m0", "reply"]
    bad = client.conversations_history(channel="C01DEPLOY", oldest="yesterday")
    assert (await refused(bad))["error"] == "invalid_ts_oldest"


async def test_a_broadcast_reply_is_in_its_thread_and_in_the_channel(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    root = str((await client.chat_postMessage(channel="C01DEPLOY", text="card"))["ts"])
    await client.chat_postMessage(channel="C01DEPLOY", text="only here", thread_ts=root)
    posted = await client.chat_postMessage(
        channel="C01DEPLOY", text="for all", thread_ts=root, reply_broadcast=True, metadata=CARD
    )

    history = await client.conversations_history(channel="C01DEPLOY", include_all_metadata=True)
    broadcast, card = history["messages"]
    assert (broadcast["text"], broadcast["subtype"], broadcast["thread_ts"], broadcast["metadata"]) == (
        "for all",
        "thread_broadcast",
        root,
        CARD,
    )
    assert (card["text"], card["reply_count"], "subtype" in card) == ("card", 2, False)
    thread = (await client.conversations_replies(channel="C01DEPLOY", ts=root))["messages"]
    assert [(m["text"], m.get("subtype")) for m in thread] == [
        ("card", None),
        ("only here", None),
        ("for all", "thread_broadcast"),
    ]
    assert posted["message"]["subtype"] == "thread_broadcast"
    assert slack.messages.get("C01DEPLOY", posted["ts"]).is_reply
    await client.chat_update(channel="C01DEPLOY", ts=posted["ts"], text="for everybody")
    assert slack.messages.get("C01DEPLOY", posted["ts"]).broadcast


async def test_what_answers_nothing_is_no_broadcast(client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C01DEPLOY", text="alone", reply_broadcast=True)
    [message] = (await client.conversations_history(channel="C01DEPLOY"))["messages"]
    assert "subtype" not in message


async def test_a_permalink_leads_to_the_message(client: AsyncWebClient) -> None:
    ts = str((await client.chat_postMessage(channel="C01DEPLOY", text="x"))["ts"])
    answer = await client.chat_getPermalink(channel="C01DEPLOY", message_ts=ts)
    assert answer["permalink"] == f"https://sandbox.slack.com/archives/C01DEPLOY/p{ts.replace('.', '')}"


async def test_who_is_who(slack: SlackStandIn, client: AsyncWebClient) -> None:
    mina = (await client.users_info(user="U01MINA", include_locale=True))["user"]
    assert (mina["locale"], mina["tz_offset"], mina["is_bot"]) == ("ko-KR", 9 * 3600, False)
    far = (await client.users_info(user="U05FAR"))["user"]
    assert ("locale" in far, far["is_stranger"], far["team_id"]) == (False, True, "T9OTHER")
    assert (await refused(client.users_info(user="U0NOBODY")))["error"] == "user_not_found"
    assert (await client.usergroups_users_list(usergroup="S0ONCALL"))["users"] == ["U01MINA"]
    [group] = (await client.usergroups_list(include_users=True))["usergroups"]
    assert (group["handle"], len(group["users"])) == ("oncall", 2)
    assert (await refused(client.usergroups_users_list(usergroup="S0NONE")))["error"] == "no_such_subteam"
    missing = await refused(client.conversations_info(channel="C02ORDER"))
    assert (missing["error"], missing["needed"]) == ("missing_scope", "channels:read")
    slack.credentials.scopes.add("channels:read")
    assert (await client.conversations_info(channel="C02ORDER"))["channel"]["is_member"] is False
    slack.people.alter("U01MINA", deleted=True)
    assert (await client.users_info(user="U01MINA"))["user"]["deleted"] is True


async def test_tokens_and_scopes_are_checked(
    slack: SlackStandIn, client: AsyncWebClient, session: ClientSession
) -> None:
    whoami = await client.auth_test()
    assert (whoami["team_id"], whoami["user_id"]) == ("T0SANDBOX", "U0SWITCHGATE")
    assert "chat:write" in whoami.headers["X-OAuth-Scopes"]
    stranger = AsyncWebClient(token="xoxb-wrong", base_url=slack.api_url, session=session)
    assert (await refused(stranger.auth_test()))["error"] == "invalid_auth"
    nobody = AsyncWebClient(base_url=slack.api_url, session=session)
    assert (await refused(nobody.auth_test()))["error"] == "not_authed"
    wrong_kind = client.apps_connections_open(app_token=BOT_TOKEN)
    assert (await refused(wrong_kind))["error"] == "not_allowed_token_type"
    assert (await client.apps_connections_open(app_token=APP_TOKEN))["url"].startswith("ws://127.0.0.1:")
    slack.credentials.scopes.discard("usergroups:read")
    answer = await refused(client.usergroups_list())
    assert (answer["error"], answer["needed"]) == ("missing_scope", "usergroups:read")
    assert "chat:write" in answer["provided"]
    assert (await refused(client.api_call("chat.postTelegram")))["error"] == "unknown_method"


async def test_everything_that_was_sent_is_kept_and_can_be_searched(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="C01DEPLOY", text="x", blocks=[section('se"cr/et+한글'), actions()])
    await refused(client.chat_postMessage(channel="C0NOWHERE", text="lost%2Bsecret"))
    assert 'se"cr/et+한글' in slack.traffic()
    assert "lost+secret" in slack.traffic()
    assert [call.outcome for call in slack.calls("chat.postMessage")] == ["ok", "channel_not_found"]
