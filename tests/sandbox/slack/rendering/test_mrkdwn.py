"""Slack's markup as its readers see it."""

from datetime import UTC, datetime

import pytest

from app.sandbox.slack.rendering.mrkdwn import mrkdwn_html
from app.sandbox.slack.stand_in import SlackStandIn

MOMENT = int(datetime(2026, 11, 23, 5, 5, tzinfo=UTC).timestamp())
DATE = f"<!date^{MOMENT}^{{date_short_pretty}} {{time}}|fallback>"

DRAWN = {
    "*bold* _it_ ~gone~ `co*de*`": '<b>bold</b> <i>it</i> <s>gone</s> <code class="sl-code">co*de*</code>',
    "*_both_*": "<b><i>both</i></b>",
    "order_create_smoke 2*3*4": "order_create_smoke 2*3*4",
    "*승인*했습니다": "*승인*했습니다",
    "*승인* 했습니다": "<b>승인</b> 했습니다",
    "a & b &amp; c &amp;lt; <tag> &lt;!channel&gt;": "a &amp; b &amp; c &amp;lt; &lt;tag&gt; &lt;!channel&gt;",
    "<!channel> <!here>": '<span class="sl-broadcast">@channel</span> <span class="sl-broadcast">@here</span>',
    "<@U01MINA> <@U0NOBODY>": (
        '<span class="sl-mention sl-mention--me" data-user="U01MINA">@Mina Kim</span> '
        '<span class="sl-mention" data-user="U0NOBODY">@U0NOBODY</span>'
    ),
    "<!subteam^S0ONCALL>": '<span class="sl-mention sl-mention--me">@oncall</span>',
    "<#C02ORDER>": '<span class="sl-mention">#order</span>',
    "<javascript:alert(1)|x>": "&lt;javascript:alert(1)|x&gt;",
    '<https://x.y/?a=1&amp;b="2"|*here*>': (
        '<a class="sl-link" href="https://x.y/?a=1&amp;b=&quot;2&quot;" target="_blank" '
        'rel="noopener noreferrer">*here*</a>'
    ),
    ":white_check_mark: :not_an_emoji:": (
        '<span class="sl-emoji" role="img" aria-label="white check mark">✅</span> :not_an_emoji:'
    ),
    "before\n> one\n&gt; two\nafter": 'before<blockquote class="sl-quote">one<br>two</blockquote>after',
    "```a < b\n*c*```": '<pre class="sl-pre">a &lt; b\n*c*</pre>',
    "https://not.linked here": "https://not.linked here",
    "\ue0000\ue001": "0",
}


@pytest.mark.parametrize(("text", "html"), DRAWN.items(), ids=DRAWN.keys())
def test_markup_is_drawn_as_slack_draws_it(slack: SlackStandIn, text: str, html: str) -> None:
    assert mrkdwn_html(text, viewer=slack.viewer("U01MINA")) == html


def test_bare_addresses_become_links_unless_verbatim(slack: SlackStandIn) -> None:
    drawn = mrkdwn_html("see https://x.y/z.", viewer=slack.viewer("U01MINA"), verbatim=False)
    assert drawn.startswith('see <a class="sl-link" href="https://x.y/z"')
    assert drawn.endswith("</a>.")


@pytest.mark.parametrize(
    ("user", "shown"), [("U01MINA", "오늘 오후 2:05"), ("U02OLU", "today 5:05 AM")], ids=["Seoul", "London"]
)
def test_everyone_reads_a_time_in_their_own_zone_and_language(
    slack: SlackStandIn, user: str, shown: str
) -> None:
    assert f">{shown}</time>" in mrkdwn_html(DATE, viewer=slack.viewer(user))


@pytest.mark.parametrize(
    "date", ["<!date^soon^{time}|later>", "<!date^1^{era}|later>", f"<!date^{'9' * 30}^{{time}}|later>"]
)
def test_a_date_that_is_none_shows_its_fallback(slack: SlackStandIn, date: str) -> None:
    assert ">later</time>" in mrkdwn_html(date, viewer=slack.viewer("U01MINA"))


def test_a_date_of_another_day_is_written_out(slack: SlackStandIn) -> None:
    drawn = mrkdwn_html(
        f"<!date^{MOMENT - 9 * 86400}^{{date_short_pretty}}|f>", viewer=slack.viewer("U02OLU")
    )
    assert ">Nov 14, 2026</time>" in drawn
