"""What Slack escapes in a command is unescaped once where it comes in, and escaped once where it goes out."""

import pytest

from app.sandbox.people import GRACE
from tests.cases.slack.commands import frozen, say
from tests.harness import Harness
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
async def test_a_command(harness: Harness, written: str, said: str) -> None:
    answer, row = await frozen(harness, f"order for 2h {written}")
    assert row is not None
    assert row["reason"] == written
    assert f": {said}\n" in answer
    listed = await say(harness, "R&D")
    assert "“R&amp;D”" in listed


async def test_a_form_is_not_escaped_by_slack(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    form = await form_of(harness, GRACE, deployment, "reject")
    await harness.slack.submit_async(GRACE.id, form.id, {"reason": "R&amp;D says a < b"})
    await harness.until(lambda: "Rejected" in harness.card_text(deployment))
    assert harness.gate(deployment)["reason"] == "R&amp;D says a < b"
    assert "> R&amp;amp;D says a &lt; b" in harness.card_text(deployment)
