"""`[policy]` beyond its first keys: `require`, `when`, and how each mistake in them is reported."""

import re
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.config.loader import parse_config
from app.gate.rules.policy import (
    ApprovalQuestion,
    ApproverSource,
    ReasonFor,
    RejectBy,
    Shift,
    UnknownDeployer,
    everyone_named,
)
from tests.config.test_loader import ORDER, POLICY, SLACK, loaded, told

RULES = """
unknown_deployer = "ask-two"
reject = "majority"
reason = "always"

[[policy.require]]
from = "S0DBA"
approvals = 2

[[policy.when]]
name = "nights"
days = ["fri-mon", "wed"]
hours = "22:00-08:00"
time_zone = "Asia/Seoul"
approvals = 1
require = [{ from = ["U01KIM", "S0LEADS"] }]

[[policy.when]]
name = "all at once"
shift = ["all-at-once"]
own_deployment = true
"""
GROUPS = '[policy]\napprovers = ["S0ONCALL"]\n'


def test_require_and_when_become_sources_and_variants() -> None:
    policy = loaded(SLACK + GROUPS + RULES + ORDER).domains["order"].policy
    assert policy.unknown_deployer is UnknownDeployer.ASK_TWO
    assert policy.reject is RejectBy.MAJORITY
    assert policy.reason is ReasonFor.ALWAYS
    assert policy.require == (ApproverSource(people=("S0DBA",), approvals=2),)
    nights, at_once = policy.variants
    assert nights.hours is not None
    assert nights.hours.days == {4, 5, 6, 0, 2}
    assert (nights.hours.start, nights.hours.end) == (time(22), time(8))
    assert nights.hours.zone == ZoneInfo("Asia/Seoul")
    assert nights.changes.given() == {
        "approvals": 1,
        "require": (ApproverSource(people=("U01KIM", "S0LEADS"), approvals=1),),
    }
    assert (at_once.hours, set(at_once.shifts)) == (None, {Shift.ALL_AT_ONCE})
    assert at_once.changes.given() == {"own_deployment": True}
    assert everyone_named(policy) == {"S0ONCALL", "S0DBA", "U01KIM", "S0LEADS"}


def test_a_domain_replaces_the_lists_that_it_gives_and_keeps_the_others() -> None:
    config = loaded(
        SLACK
        + GROUPS
        + RULES
        + ORDER
        + 'require = []\n[[domains.order.when]]\nname = "x"\nhours = "09:00-18:00"\ntime_zone = "UTC"\napprovals = 3\n'
    )
    order = config.domains["order"].policy
    assert order.require == ()
    assert [variant.name for variant in order.variants] == ["x"]
    assert order.reject is RejectBy.MAJORITY
    assert len(config.policy.variants) == 2


ASK = """
[[policy.ask]]
question = "Was a test order placed on green?"

[[policy.ask]]
question = "Does the old version run on the new schema?"
required = false
"""


def test_questions_are_asked_and_a_domain_or_a_variant_asks_its_own() -> None:
    night = '[[policy.when]]\nname = "nights"\nhours = "22:00-08:00"\ntime_zone = "UTC"\nask = []\n'
    own = ORDER.replace("domains.order", "domains.hub").replace('-dg"', '-hub-dg"')
    config = loaded(
        SLACK + GROUPS + ASK + night + ORDER + own + '[[domains.hub.ask]]\nquestion = "Is hub asked?"\n'
    )
    order, hub = config.domains["order"].policy, config.domains["hub"].policy
    assert order.questions == (
        ApprovalQuestion(text="Was a test order placed on green?"),
        ApprovalQuestion(text="Does the old version run on the new schema?", required=False),
    )
    assert order.variants[0].changes.given() == {"questions": ()}
    assert hub.questions == (ApprovalQuestion(text="Is hub asked?"),)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ('question = " "\n', "asks nothing"),
        (f'question = "{"x" * 151}"\n', "has 151 characters"),
        ('question = "a"\n[[policy.ask]]\nquestion = "a"\n', 'asks "a" twice'),
        (
            "".join(f'question = "{n}"\n[[policy.ask]]\n' for n in range(10)) + 'question = "x"\n',
            "asks 11 questions",
        ),
        ("required = false\n", "is missing"),
        ('question = "a"\nanswer = "yes"\n', "is unknown"),
    ],
)
def test_a_question_that_makes_no_sense_is_named(lines: str, what: str) -> None:
    assert what in " ".join(told(SLACK + GROUPS + "[[policy.ask]]\n" + lines + ORDER).values())


@pytest.mark.parametrize("key", ["policy", "domains.order"])
def test_checks_answer_no_question(key: str) -> None:
    checks = 'required_checks = ["smoke"]\napprove_when_checks_pass = true\n'
    ask = f'[[{key}.ask]]\nquestion = "a"\n'
    config = (
        SLACK + GROUPS + checks + ORDER + ask if key != "policy" else SLACK + GROUPS + checks + ask + ORDER
    )
    assert "only people answer" in " ".join(told(config).values())


def when(lines: str) -> str:
    return SLACK + GROUPS + '[[policy.when]]\nname = "nights"\n' + lines + ORDER


def require(lines: str) -> str:
    return SLACK + GROUPS + "[[policy.require]]\n" + lines + ORDER


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (SLACK + GROUPS + 'unknown_deployer = "ask"\n' + ORDER, "policy.unknown_deployer", '"ask-two"'),
        (SLACK + GROUPS + 'reject = "two"\n' + ORDER, "policy.reject", 'Write "one" or "majority"'),
        (SLACK + GROUPS + "reason = true\n" + ORDER, "policy.reason", '"always", "reject" or "never"'),
        (SLACK + POLICY + 'unknown_deployer = "ask-two"\n' + ORDER, "policy.unknown_deployer", "only 1 can"),
        (
            SLACK + GROUPS + "approve_when_checks_pass = true\n" + ORDER,
            "policy.approve_when_checks_pass",
            "no check is required",
        ),
        (
            SLACK
            + GROUPS
            + 'required_checks = ["x"]\napprove_when_checks_pass = true\n'
            + ORDER
            + "required_checks = []\n",
            "domains.order.approve_when_checks_pass",
            "no check is required",
        ),
        (
            SLACK + GROUPS + f'required_checks = ["{"x" * 300}"]\n' + ORDER,
            "policy.required_checks",
            "(300 characters)",
        ),
        (
            SLACK + GROUPS + 'required_checks = ["a/b"]\n' + ORDER,
            "policy.required_checks",
            "without a slash or blanks around them",
        ),
        (
            SLACK + GROUPS + f"required_checks = {[f'c{number}' for number in range(101)]}\n" + ORDER,
            "policy.required_checks",
            "names 101 checks",
        ),
        (require("approvals = 1\n"), "policy.require#1.from", 'Add from = "S0DBA".'),
        (require('from = "dba"\n'), "policy.require#1.from", '"dba" is no id'),
        (require("from = []\n"), "policy.require#1.from", "is empty"),
        (require('from = ["U01", "U02"]\napprovals = 3\n'), "policy.require#1", "only 2 can give one"),
        (require('from = "S0DBA"\naprovals = 3\n'), "policy.require#1.aprovals", "Did you mean approvals?"),
        (require('form = "S0DBA"\nfrom = "S0DBA"\n'), "policy.require#1.form", "Did you mean from?"),
        (SLACK + GROUPS + 'require = "S0DBA"\n' + ORDER, "policy.require", "is no list"),
        (when("approvals = 2\n"), "policy.when#1", "says at no time"),
        (when('hours = "22:00-08:00"\ntime_zone = "UTC"\n'), "policy.when#1", "changes nothing"),
        (when('hours = "22:00-08:00"\napprovals = 2\n'), "policy.when#1", "without a time zone"),
        (when('hours = "22:00-25:00"\ntime_zone = "UTC"\napprovals = 2\n'), "policy.when#1", '"25:00" is no'),
        (when('hours = "22:00-22:00"\ntime_zone = "UTC"\napprovals = 2\n'), "policy.when#1", "ends when it"),
        (when('hours = "night"\ntime_zone = "UTC"\napprovals = 2\n'), "policy.when#1", "is no span of hours"),
        (
            when('hours = "22:00-08:00"\ntime_zone = "Seoul"\napprovals = 2\n'),
            "policy.when#1",
            '"Seoul" is no',
        ),
        (when('days = ["someday"]\ntime_zone = "UTC"\napprovals = 2\n'), "policy.when#1", '"someday" is no'),
        (when('shift = ["blue"]\napprovals = 2\n'), "policy.when#1.shift", "all-at-once, canary, linear"),
        (when('shift = ["canary"]\ndeadline_minutes = 9\n'), "policy.when#1.deadline_minutes", "is unknown"),
        (
            when('shift = ["canary"]\napprovers = ["U1"]\napprovals = 2\n'),
            "policy.when",
            '"nights" gives rules',
        ),
    ],
)
def test_a_mistake_in_the_rules_is_told_with_its_key_and_a_remedy(text: str, key: str, said: str) -> None:
    problems = told(text)
    assert list(problems) == [key]
    assert said in problems[key]


def test_what_the_example_file_shows_in_comments_loads_too() -> None:
    shown = (Path(__file__).parents[3] / "switchgate.example.toml").read_text()
    config = parse_config(re.sub(r"^# (?=[a-z_]+ = |\[)", "", shown, flags=re.MULTILINE), file="example")
    assert [variant.name for variant in config.policy.variants] == ["nights", "no canary"]
    assert len(config.freezes) == 2
    assert [probe.name for probe in config.domains["order"].probes] == ["order health"]
