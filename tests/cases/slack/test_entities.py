"""What Slack escapes in a command is unescaped once where it comes in, and escaped once where it goes out."""

import pytest

from app.sandbox.cast import GRACE
from tests.cases.slack.commands import frozen, say
from tests.house import House
from tests.slack.play import form_of


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("R&D asked: latency > 2s", "R&amp;D asked: latency &gt; 2s"),
        ("a &amp; b", "a &amp;amp; b"),
        ("x <y> &lt;z&gt;", "x &lt;y&gt; &amp;lt;z&amp;gt;"),
        ("<!channel> now", "&lt;!channel&gt; now"),
    ],
)
async def test_a_command(house: House, written: str, said: str) -> None:
    answer, row = await frozen(house, f"order for 2h {written}")
    assert row is not None
    assert row["reason"] == written
    assert f": {said}\n" in answer
    listed = await say(house, "R&D")
    assert "“R&amp;D”" in listed


async def test_a_form_is_not_escaped_by_slack(house: House) -> None:
    deployment, _ = await house.ask("order")
    form = await form_of(house, GRACE, deployment, "reject")
    await house.slack.submit_async(GRACE.id, form.id, {"reason": "R&amp;D says a < b"})
    await house.until(lambda: "Rejected" in house.says(deployment))
    assert house.gate(deployment)["reason"] == "R&amp;D says a < b"
    assert "> R&amp;amp;D says a &lt; b" in house.says(deployment)
