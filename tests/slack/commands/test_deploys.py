"""`/deploys`: what waits, one domain, help; always an answer, and to the asker alone."""

from collections.abc import Sequence
from dataclasses import replace

from app.sandbox.aws.state.topology import EIGHT_DOMAINS, SandboxDomain
from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.state.shapes import Message
from tests.harness import Harness, text_of
from tests.slack.play import Build, buttons_of, deploys, opened, press_in, wait_for_reply, whispers

CROWDED = tuple(SandboxDomain(f"d{n:02}", 9100 + n) for n in range(40))


def listed(message: Message) -> list[str]:
    """The lines of a list, one a gate, as they stand."""
    return [
        block["text"]["text"]
        for block in message.blocks
        if block["type"] == "section" and "Waiting since" in block["text"]["text"]
    ]


async def test_nothing_waits(harness: Harness) -> None:
    said = await deploys(harness)
    assert said.text == "Nothing is waiting for approval."
    assert said.only_for == OLU.id


async def test_what_waits_is_listed_with_the_nearest_deadline_first(build: Build) -> None:
    config = config_text(payment="deadline_minutes = 10\n", hub="deadline_minutes = 30\n")
    async with build(config=config) as harness:
        order, card = await harness.open_gate("order", description="v1.4.2: delivery fee")
        hub, _ = await harness.open_gate("hub")
        payment, _ = await harness.open_gate("payment")
        said = await deploys(harness)
        assert said.text == "3 deployments waiting"
        lines = listed(said)
        assert [line.split("*")[1].split(" ")[0] for line in lines] == ["payment", "hub", "order"]
        assert all(d in line for d, line in zip((payment, hub, order), lines, strict=True))
        assert "v1.4.2: delivery fee" in lines[2]
        assert "<!date^" in lines[2]
        assert "54 min left" in lines[2]
        assert "9 min left" in lines[0]
        assert f"Approvers: <!subteam^S0ONCALL>, <@{GRACE.id}>" in lines[2]
        link = f"https://sandbox.slack.com/archives/{card.channel}/p{card.ts.replace('.', '')}"
        await harness.until(lambda: harness.rows("SELECT 1 FROM cards WHERE ts IS NULL") == [])
        assert f"<{link}|open card>" in text_of(await deploys(harness))


async def test_what_is_approved_there_is_seen_there(harness: Harness) -> None:
    """The versions, whether green is healthy, and the checks stand beside Approve."""
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: "1.41.0 → 1.42.0" in harness.card_text(deployment))
    await harness.until(lambda: harness.rows("SELECT 1 FROM evidence WHERE seen IS NOT NULL"))
    (line,) = listed(await deploys(harness))
    assert line.startswith("*order 1.41.0 → 1.42.0* ")
    assert line.splitlines()[-1] in harness.card_text(deployment)
    assert "2/2" in line.splitlines()[-1]


async def test_a_blocked_one_says_what_blocks_it_and_has_no_approve(build: Build) -> None:
    async with build(config=config_text(order='required_checks = ["smoke"]\n')) as harness:
        await harness.deploy("order")
        await harness.until(lambda: harness.cards())
        said = await deploys(harness)
        assert "“smoke”" in listed(said)[0]
        assert {"reject", "details"} <= buttons_of(said).keys()
        assert "approve" not in buttons_of(said)


async def test_whose_approval_is_recorded_is_not_asked_again(build: Build) -> None:
    async with build(config=config_text(order="approvals = 2\n")) as harness:
        await harness.open_gate("order")
        first = await deploys(harness)
        assert "approve" in buttons_of(first)
        await press_in(harness, first, OLU, "approve")
        await harness.until(lambda: harness.rows("SELECT 1 FROM votes"))
        said = await deploys(harness)
        assert "Your approval is recorded." in listed(said)[0]
        assert "approve" not in buttons_of(said)
        assert "approve" in buttons_of(await deploys(harness, GRACE))


async def test_a_single_waiting_gate_is_in_the_singular(harness: Harness) -> None:
    await harness.open_gate("order")
    assert (await deploys(harness)).text == "1 deployment waiting"


async def test_more_than_fit_are_paged_with_the_total_said(build: Build) -> None:
    async with build(domains=CROWDED) as harness:
        await all_of(harness, CROWDED)
        first = await deploys(harness)
        assert (first.text, len(listed(first))) == ("40 deployments waiting", 15)
        assert "1–15 of 40" in text_of(first)
        assert set(buttons_of(first)) & {"deploys_page.previous", "deploys_page.next"} == {
            "deploys_page.next"
        }

        second = await turned(harness, first, "next")
        assert "16–30 of 40" in text_of(second)
        third = await turned(harness, second, "next")
        assert "31–40 of 40" in text_of(third)
        assert "deploys_page.next" not in buttons_of(third)
        assert "16–30 of 40" in text_of(await turned(harness, third, "previous"))

        pages = [*listed(first), *listed(second), *listed(third)]
        assert len({line.split("*")[1] for line in pages}) == 40
        assert all(len(page.blocks) <= 50 for page in (first, second, third))


async def test_a_page_that_is_gone_becomes_the_last_one_there_is(build: Build) -> None:
    async with build(domains=CROWDED[:17]) as harness:
        await all_of(harness, CROWDED[:17])
        first = await deploys(harness)
        waiting = [block["block_id"] for block in first.blocks if block["block_id"].startswith("decide.")]
        for block_id in waiting[:5]:
            await press_in(harness, first, OLU, "approve", block_id=block_id)
        page = await turned(harness, first, "next")
        assert page.text == "12 deployments waiting"
        assert len(listed(page)) == 12
        assert "deploys_page.next" not in buttons_of(page)


async def all_of(harness: Harness, domains: Sequence[SandboxDomain]) -> None:
    """Deploys them all at once; returns when each has its gate, and its deadline no longer moves."""
    for domain in domains:
        harness.aws.deploy(domain.name)
    settled = (
        "SELECT 1 FROM gates g JOIN switches s ON s.id = g.switch_id WHERE s.hook_started_at IS NOT NULL"
    )
    await harness.until(lambda: len(harness.rows(settled)) == len(domains), timeout=30)


async def turned(harness: Harness, message: Message, way: str) -> Message:
    """Presses a page button; returns the message as it is then."""
    before = message.shown
    assert (await press_in(harness, message, OLU, f"deploys_page.{way}")).acked
    await harness.until(lambda: harness.slack.messages.get(message.channel, message.ts).shown != before)
    return harness.slack.messages.get(message.channel, message.ts)


async def test_a_page_button_with_an_altered_value_shows_the_first_page(build: Build) -> None:
    async with build(domains=CROWDED[:17]) as harness:
        await all_of(harness, CROWDED[:17])
        first = await deploys(harness)
        for value in ("x", "-1", "99999999", "1; DROP", "²"):
            assert (await press_in(harness, first, OLU, "deploys_page.next", value=value)).acked
        await harness.until(lambda: len(harness.slack.calls("response_url")) == 5)
        assert "1–15 of 17" in text_of(harness.slack.messages.get(first.channel, first.ts))


async def test_a_list_too_old_to_be_replaced_is_sent_again(build: Build) -> None:
    async with build(domains=CROWDED[:17]) as harness:
        await all_of(harness, CROWDED[:17])
        first = await deploys(harness)
        harness.slack.faults.server_error("response_url", status=404)
        await press_in(harness, first, OLU, "deploys_page.next")
        await harness.until(lambda: any("16–17 of 17" in told for told in whispers(harness, OLU)))


async def test_one_domain_is_shown_with_its_last_five_switches(build: Build) -> None:
    without_rollbacks = [replace(domain, auto_rollback=()) for domain in EIGHT_DOMAINS]
    async with build(domains=without_rollbacks) as harness:
        too_old = await decided(harness, "reject")
        first = await decided(harness, "approve")
        for _ in range(4):
            await decided(harness, "reject")
        waiting, _ = await harness.open_gate("order")
        other, _ = await harness.open_gate("payment")
        said = text_of(await deploys(harness, words="order"))
    assert said.startswith("order: deployments\n")
    assert waiting in said
    assert other not in said
    assert too_old not in said
    history = [line for line in said.splitlines() if "approved by" in line or "rejected by" in line]
    assert len(history) == 5
    assert first in history[-1]
    assert f"rejected by <@{OLU.id}>: not today" in history[0]


async def decided(harness: Harness, how: str) -> str:
    deployment, _ = await harness.open_gate("order")
    if how == "approve":
        await harness.approve(OLU.id, deployment)
    else:
        await harness.reject(OLU.id, deployment, "not today")
    await harness.reported(deployment)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    return deployment


async def test_a_domain_without_history_says_so(harness: Harness) -> None:
    said = text_of(await deploys(harness, words="  Order "))
    assert "Nothing is waiting in order." in said
    assert "None yet." in said


async def test_help_says_what_there_is(harness: Harness) -> None:
    said = await deploys(harness, words="help")
    assert said.text == "How to use /deploys"
    assert "`/deploys order`" in text_of(said)


async def test_unknown_words_get_help_and_not_silence(harness: Harness) -> None:
    for words in ("ordr", "order warehouse", "help me", ",", "<!channel> *x* `y`", "x" * 3000, "주문"):
        said = text_of(await deploys(harness, words=words))
        assert "neither a command nor a domain" in said
        assert "`/deploys help`" in said
        assert "<!channel>" not in said


async def test_a_typing_error_is_answered_with_the_domain_that_was_probably_meant(harness: Harness) -> None:
    for words, said in (
        ("ordr", "neither a command nor a domain. Did you mean order?"),
        ("Ordr ", "Did you mean order?"),
        ("ordr payment", "Did you mean order?"),
        ("order history", "Did you mean order?"),
        (
            "frezes",
            "“frezes” is neither a command nor a domain. Did you mean freezes?",
        ),
        ("hlep", "Did you mean help?"),
        ("Aprove order", "Did you mean approve?"),
        ("frezee order for 1h incident", "Did you mean freeze?"),
        ("undo ordr", "Unknown domains: ordr (did you mean order?)."),
        ("reject ordr", "Unknown domains: ordr (did you mean order?)."),
    ):
        assert said in text_of(await deploys(harness, words=words)), words
    assert "id you mean" not in text_of(await deploys(harness, words="warehouse"))
    assert "혹시 order인가요?" in text_of(await deploys(harness, MINA, "ordr"))


async def test_several_domains_are_answered_with_how_each_is_shown(harness: Harness) -> None:
    for words in ("order payment", "Order, payment", "order,payment order"):
        said = await deploys(harness, words=words)
        assert said.text.startswith("One domain at a time, please: `/deploys order`, `/deploys payment`."), (
            words
        )
        assert "`/deploys help`" in text_of(said)
    korean = (await deploys(harness, MINA, "order payment")).text
    assert korean.startswith("도메인은 한 번에 하나씩 볼 수 있습니다: `/deploys order`, `/deploys payment`.")


async def test_a_domain_without_an_approved_switch_shows_no_traffic(
    harness: Harness,
) -> None:
    await harness.open_gate("order")
    said = await deploys(harness, words="undo order")
    assert said.text == ("No approved deployment of order on record, so there is nothing to roll back.")
    assert (
        "order: Switchgate로 승인된 배포가 없어 롤백할 수 없습니다."
        in (await deploys(harness, MINA, "undo order")).text
    )


async def approved(harness: Harness, domain: str) -> str:
    deployment, _ = await harness.open_gate(domain)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    return deployment


async def test_rollback_opens_the_form_for_a_domain_or_a_deployment(harness: Harness) -> None:
    deployment = await approved(harness, "order")
    for words in ("undo order", "rollback Order", "roll back order", f"rollback {deployment}", "order 롤백"):
        await harness.slack.slash_async(OLU.id, CHANNEL.id, "/deploys", words)
        await harness.until(lambda: harness.slack.views.top(OLU.id))
        form = harness.slack.views.top(OLU.id)
        assert form is not None
        assert deployment in str(form.body), words
        harness.slack.views.clear(OLU.id)
    assert harness.rows("SELECT 1 FROM interventions") == []


async def test_where_several_deployments_fit_they_are_listed_with_a_button_each(harness: Harness) -> None:
    order, payment = await approved(harness, "order"), await approved(harness, "user")
    await harness.open_gate("hub")
    for words in ("rollback", "undo order user", "롤백"):
        said = await deploys(harness, words=words)
        assert said.text == "Roll back which one?", words
        rows = [block for block in said.blocks if "accessory" in block]
        assert {found for found in (order, payment) if found in str(rows)} == {order, payment}
        assert [row["accessory"]["action_id"] for row in rows] == ["undo", "undo"], words
    assert (await deploys(harness, MINA, "롤백")).text == "어느 배포를 롤백할까요?"


async def test_where_nothing_can_be_rolled_back_that_is_said(harness: Harness) -> None:
    assert (await deploys(harness, words="rollback")).text == "No recent deployment can be rolled back."
    said = (await deploys(harness, words="rollback d-NONE")).text
    assert said == "No approved deployment of d-NONE on record, so there is nothing to roll back."


async def test_a_freeze_is_declared_and_lifted_in_korean(harness: Harness) -> None:
    for words in (
        "동결 order 2시간 동안 결제 장애",
        "order 동결 내일 09:00부터 18:00까지 배포",
        "동결 전체 내일까지 점검",
    ):
        said = text_of(await deploys(harness, GRACE, words))
        assert "Froz" in said or "Freeze scheduled" in said, (words, said)
    reasons = [row["reason"] for row in harness.rows("SELECT reason FROM freezes ORDER BY id")]
    assert reasons == ["결제 장애", "배포", "점검"]
    assert "결제 장애" in text_of(await deploys(harness, GRACE, "동결 목록"))
    assert "Unfrozen" in text_of(await deploys(harness, GRACE, "전체 해제"))
    assert "Is “18:00” the start or the end?" in text_of(
        await deploys(harness, GRACE, "freeze order 18:00 x")
    )


async def test_list_and_status_list_what_waits(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    for words in ("list", "status", "목록", "상태"):
        assert (await deploys(harness, words=words)).text == "1 deployment waiting", words
    for words in ("list order", "status Order", "order 상태"):
        assert (await deploys(harness, words=words)).text == "order: deployments", words
    assert "Did you mean order?" in text_of(await deploys(harness, words="status ordr"))
    assert "Did you mean rollback?" in text_of(await deploys(harness, words="rolback order"))
    assert deployment in text_of(await deploys(harness, words="목록"))


async def test_a_rejection_is_given_on_the_card(harness: Harness) -> None:
    said = text_of(await deploys(harness, words="reject order"))
    assert "To reject, use Reject on the card" in said
    assert "Nothing is waiting in order." in said
    deployment, card = await harness.open_gate("order")
    other, _ = await harness.open_gate("payment")
    await harness.until(lambda: harness.rows("SELECT 1 FROM cards WHERE ts IS NULL") == [])
    shown = await deploys(harness, words="reject Order it is too risky")
    assert f"/archives/{card.channel}/p{card.ts.replace('.', '')}|open card>" in text_of(shown)
    assert other not in text_of(shown)
    assert harness.gate(deployment)["phase"] == "awaiting"
    assert other in text_of(await deploys(harness, words="reject"))
    await press_in(harness, shown, OLU, "reject")
    await harness.until(lambda: harness.slack.views.top(OLU.id))


async def test_the_command_answers_in_korean_to_who_reads_korean(harness: Harness) -> None:
    await harness.open_gate("order")
    said = await deploys(harness, MINA)
    assert said.text == "승인 대기 1건"
    assert "남은 시간 54분" in text_of(said)
    assert buttons_of(said)["approve"]["text"]["text"] == "승인"
    assert (await deploys(harness, JUN, "help")).text == "/deploys 사용법"


async def test_the_command_works_for_whom_slack_named_lately(harness: Harness) -> None:
    await harness.open_gate("order")
    assert (await deploys(harness)).text == "1 deployment waiting"
    with harness.slack.faults.away():
        assert (await deploys(harness)).text == "1 deployment waiting"


async def test_what_codedeploy_has_not_confirmed_is_listed_without_buttons(harness: Harness) -> None:
    for operation in ("GetDeployment", "BatchGetDeployments"):
        harness.aws.faults.add(operation, "throttle", times=None)
    deployment = await opened(harness, "order")
    said = await deploys(harness)
    assert deployment in text_of(said)
    assert "unknown domain" in text_of(said)
    assert buttons_of(said) == {}


async def test_a_rejection_from_the_list_asks_why_like_the_card(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    said = await deploys(harness)
    await press_in(harness, said, OLU, "reject")
    await harness.until(lambda: harness.slack.views.top(OLU.id))
    form = harness.slack.views.top(OLU.id)
    assert form is not None
    await harness.slack.submit_async(OLU.id, form.id, {"reason": "no"})
    assert await harness.reported(deployment) == ["Failed"]


async def test_an_automatic_rollback_is_shown_as_one(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.stop_deployment(deployment)
    harness.clock.advance(minutes=1)
    await harness.until(lambda: harness.rows("SELECT 1 FROM gates WHERE basis = 'auto_rollback'"))
    await harness.until(lambda: harness.rows("SELECT 1 FROM gates WHERE verdict = 'withdrawn'"))
    said = text_of(await deploys(harness, words="order"))
    assert " automatic rollback" in said
    assert "closed: " in said


async def test_what_was_decided_is_no_longer_listed(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.approve(OLU.id, deployment)
    assert "Nothing is waiting" in text_of(await deploys(harness))
    await harness.slack.slash_async(OLU.id, CHANNEL.id, "/deploys", "order")
    await wait_for_reply(harness, OLU, "approved by")
