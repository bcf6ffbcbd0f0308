"""What follows the time of a freeze is its reason, or is refused: it is never silently a part of either."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.slack.commands.time_errors import InvalidTime, MayBelongToTime
from app.slack.commands.time_parsing import read_span
from app.slack.text.user_input import normalized

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

PLAIN = """
second|payment incident|payment partner is down|card network incident|database migration|DB migration
AWS incident|IT audit|new release|for the release|stocktaking|holidays|on-call handover|security patch
the partner bank is down|audit|x|payment/refund fails|R&D asked|a & b|<!channel> audit|<@UMINJI> asked
R&D asked: latency > 2s
error rate > 0.5% on green|load test|please stop|결제사 점검|결제 장애|카드사 망 장애|쿠폰 장애|배포
배포 후 점검|배포 금지|DB 이전 작업|일부 결제 장애|주문 장애|정산 배치|일시 중단|원인 분석 중
🔥 결제 장애|payment is down 🔥
"""
TWELVE_HOURS = "6:00 p. m.|6:00 p m|6:00 p. m|6:00 a m|6:00 p|6:00 in the evening|12:00 noon|6:00 evening"
SECOND_ENDS = """
18:00 release until 20:00|18:00 release till 20:00|fri 18:00 release until sat 20:00
18:00 release until done|18:00 - 20:00|18:00-20:00|18:00 to 20:00|18:00 — until 20:00|18:00: until fri
18:00 - on friday|18:00 – the 27th|18:00 (until 20:00)|18:00 ~ 20:00|18:00 - UTC|18:00 - D+1
"""
LENGTHS = """
2h & 30m|2h plus 30m|2h, plus another 30m|2h thirty minutes|2h thirty|2h and a half|2h / 30m|2h – 30m
2h; 30m|2h. 30m|2h + 30m|2h(30m)|2h 반|2h 30|2h to 3h|2h twenty|2h fifteen|2h one day
"""
ZONES = """
AST|NST|SAST|WAT|CAT|BRT|BRST|IDT|PKT|TRT|EST|CET|ET|PT|sast|pkt|brt|idt|Zulu|Pacific|Central time
Seoul time|UK time|Paris time|London time|New York time|New York|seoul|Hawaii|local time|일본시간
뉴욕 시간|미국 시간|동부시간|베이징 시간|한국 시간|서울 기준
"""
DAYS = """
익일|다음날|명일|낼|다음주|다음 주|담주|주말|월말|금욜|금|이틀 후|하루 더|사흘|글피|tmw|2moro|tmrw
weekend|end of week|eom|eod|D+1|明日|11月27日|*fri*|_fri_|“fri”|'fri'|"fri"|! fri|@ fri|? tomorrow
(fri)|[fri]|`fri`|→ fri|… fri|#fri|~내일|tommorow|firday|wedensday|weeekend|2nite|tonite|27 Nov|Nov 27
11/27|the 27th|next week|in 2 days|in two days|christmas|추석
🔥 fri|<!date^1392734382^{date}>|<!channel> fri|завтра|½ day|①
"""
LATER = """
release fri|release thu|release sat|release on 27 Nov|release 11/27|release on the 27th|release next week
release in 2 days|release EST|payment release utc|배포 (금)|배포 금|배포 내일까지|배포 금욜|release _fri_
release, tomorrow|release tomorrow-ish|release 明日|release at 20:00|release (Seoul)
release for two hours|배포 이틀
"""
SEPARATED = {
    "because PAY-123 fails on fri": "PAY-123 fails on fri",
    "because of the weekend sale": "the weekend sale",
    "Reason: 500 errors since 14:05": "500 errors since 14:05",
    "— P1 incident": "P1 incident",
    "- payment release of friday": "payment release of friday",
    ": SEV1 in eu-west-1": "SEV1 in eu-west-1",
    '"the release of tomorrow"': "the release of tomorrow",
    "“내일 배포”": "내일 배포",
    "이유: 내일 배포 준비": "내일 배포 준비",
    "사유 - 결제 v2 배포": "결제 v2 배포",
    "— 결제 장애": "결제 장애",
    "because 決済障害": "決済障害",
    'reason: "5xx errors"': "5xx errors",
}


def listed(text: str) -> list[str]:
    """Forms are separated by `|`, or by lines."""
    return [each.strip() for each in re.split(r"\||\n", text) if each.strip()]


@pytest.mark.parametrize(
    "lead", ["for 2h", "for 2h30m", "until 18:00", "until fri 6pm,", "until 오후 6시까지"]
)
def test_plain_words_are_a_reason(lead: str) -> None:
    alone = read_span(lead, now=NOW, zone=SEOUL)
    for reason in listed(PLAIN):
        span = read_span(f"{lead} {reason}", now=NOW, zone=SEOUL)
        assert (span.end, span.reason) == (alone.end, reason)


@pytest.mark.parametrize("lead", ["for 2h", "until 18:00", "until fri 18:00 UTC", "until 오후 6시"])
def test_a_separated_reason_is_taken_as_it_is(lead: str) -> None:
    alone = read_span(lead, now=NOW, zone=SEOUL)
    for text, reason in SEPARATED.items():
        span = read_span(f"{lead} {text}", now=NOW, zone=SEOUL)
        assert (span.end, span.reason) == (alone.end, reason)


@pytest.mark.parametrize(
    "text",
    [
        *(f"until {each}" for each in listed(TWELVE_HOURS) + listed(SECOND_ENDS)),
        *(f"for {each}" for each in listed(LENGTHS)),
        *(f"until fri 18:00 {each}" for each in listed(ZONES)),
        *(f"until 18:00 {each}" for each in listed(DAYS) + listed(LATER)),
        *("until 18:00_UTC", "until 18:00/UTC", "until 18:00@UTC", "until 18:00 :fire: down"),
    ],
)
@pytest.mark.parametrize("after", ["", " release", " 결제 장애"])
def test_what_could_belong_to_the_time_is_refused(text: str, after: str) -> None:
    with pytest.raises(InvalidTime):
        read_span(normalized(text + after), now=NOW, zone=SEOUL)


@pytest.mark.parametrize(
    "text", ["because fri", "because of 20:00", "reason: until fri 20:00", "이유: 내일까지"]
)
def test_a_separated_reason_that_is_nothing_but_a_time_is_refused(text: str) -> None:
    with pytest.raises(MayBelongToTime):
        read_span(f"until 18:00 {text}", now=NOW, zone=SEOUL)


def test_a_second_word_is_named() -> None:
    with pytest.raises(MayBelongToTime) as refused:
        read_span("until 18:00 payment release (fri)", now=NOW, zone=SEOUL)
    assert refused.value.words == "(fri)"


PARTS = """
18:00 6pm fri friday tomorrow 2026-12-24 utc noon midnight 오후 6시 내일 월요일 2시간 30분 까지 from until for at on
because of reason: 이유: — - : " “ ” ' , . ( ) &
"""
TOKENS = [
    *PARTS.split(),
    *(
        word
        for forms in (PLAIN, ZONES, DAYS, LATER, LENGTHS, TWELVE_HOURS)
        for each in listed(forms)
        for word in each.split()
    ),
]
TIME_LIKE = """
fri thu sat friday tomorrow tmw tmrw weekend eom eod utc est cet noon midnight am pm next until till week days
금 금욜 내일 낼 익일 명일 다음날 다음주 담주 주말 월말 월요일 까지 이틀 하루 오후 시간 일본시간 동부시간
"""
SEPARATOR = re.compile(
    r"(?:because(?: of)?|(?:reason|이유|사유) ?[:–—-]|[–—:-]+|)[ ,.;]*[\"“'‘«「]? *$", re.IGNORECASE
)


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(
    st.sampled_from(["for 2h", "until 18:00", "until fri 6pm", "until 오후 6시", "from 13:00 for 2h"]),
    st.lists(st.sampled_from(TOKENS) | st.text(max_size=4), max_size=5),
)
def test_whatever_follows_the_time_neither_changes_it_unseen_nor_hides_in_the_reason(
    lead: str, words: list[str]
) -> None:
    text = " ".join(normalized(f"{lead} {' '.join(words)}").split())
    try:
        span = read_span(text, now=NOW, zone=SEOUL)
    except InvalidTime:
        return
    if not re.search(r"\w", span.reason):
        # A freeze without a reason is refused later.
        return
    before = text[: text.rindex(span.reason)]
    separator = SEPARATOR.search(before)
    assert separator is not None
    times = before[: separator.start()]
    alone = read_span(times, now=NOW, zone=SEOUL)
    assert (alone.start, alone.end, alone.reason) == (span.start, span.end, ""), text
    if not separator[0].strip(" ,.;"):
        pieces = set(re.findall(r"[a-z]+|[가-힣]+", span.reason.lower()))
        assert not pieces & set(TIME_LIKE.split()), text
        assert not re.search(r"(?<![<>] )(?<![<>.\d])\d", span.reason.replace("0.5%", "")), text
