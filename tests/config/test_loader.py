"""`switchgate.toml`: what it becomes, and how each mistake is reported."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from app.config.loader import Config, ConfigError, load_config, parse_config, warnings
from app.config.reserved_words import RESERVED_WORDS
from app.config.runtime import RuntimeConfig
from app.gate.rules.policy import Roster

CONTRACT = """
[slack]
channel = "C01DEPLOY"            # default channel
admins  = ["U01ADMIN"]           # may freeze, override

[policy]                          # the default of every domain
approvers = ["S0ONCALL", "U01APPROVER"]   # user groups and users
approvals = 1
own_deployment = false            # may one approve one's own?
deadline_minutes = 55
on_deadline = "reject"

[domains.order]
application      = "klp-logistics-order-app"
deployment_group = "klp-logistics-order-dg"
listener_port    = 8020
channel          = "C02ORDER"     # overrides, as any key of [policy] does
required_checks  = ["order-create smoke"]
"""

SLACK = '[slack]\nchannel = "C01DEPLOY"\n'
POLICY = '[policy]\napprovers = ["U01KIM"]\n'
ORDER = '[domains.order]\napplication = "order-app"\ndeployment_group = "order-dg"\n'
SMALL = SLACK + POLICY + ORDER


def loaded(text: str) -> Config:
    """A text that must be right."""
    return parse_config(text, file="switchgate.toml")


def told(text: str) -> dict[str, str]:
    """The problems of a text: what and remedy, by key."""
    with pytest.raises(ConfigError) as refusal:
        loaded(text)
    problems = refusal.value.problems
    assert str(refusal.value).splitlines() == [str(problem) for problem in problems]
    assert all(problem.file == "switchgate.toml" and problem.what and problem.remedy for problem in problems)
    assert len({problem.key for problem in problems}) == len(problems)
    return {problem.key: f"{problem.what}. {problem.remedy}" for problem in problems}


def test_the_contracts_example_loads_unchanged() -> None:
    config = loaded(CONTRACT)
    order = config.domains["order"]
    assert (config.channel, config.admins) == ("C01DEPLOY", ("U01ADMIN",))
    assert (order.channel, order.listener_port) == ("C02ORDER", 8020)
    assert order.policy.approvers == ("S0ONCALL", "U01APPROVER")
    assert order.policy.approvals == 1
    assert order.policy.own_deployment is False
    assert order.policy.deadline == timedelta(minutes=55)
    assert order.policy.required_checks == ("order-create smoke",)
    assert config.policy.required_checks == ()


def test_the_example_file_loads_and_warns_of_nothing() -> None:
    config = load_config(Path(__file__).parents[2] / "switchgate.example.toml")
    assert set(config.domains) == {"order", "payment"}
    assert config.domains["payment"].policy.approvals == 2
    assert config.domains["payment"].policy.deadline == timedelta(minutes=30)
    assert config.domains["payment"].channel == "C01DEPLOY"
    assert config.people["lee@example.com"] == "U01LEE"
    assert warnings(config) == []


def test_a_domain_takes_the_default_of_every_key_that_it_does_not_give() -> None:
    config = loaded(SMALL + "own_deployment = true\n")
    order = config.domains["order"].policy
    assert order.own_deployment is True
    assert (order.approvers, order.approvals, order.deadline) == (("U01KIM",), 1, timedelta(minutes=55))
    assert config.policy.own_deployment is False


def test_a_domain_may_override_the_default_requirement() -> None:
    policy = POLICY + 'approvals = 1\nown_deployment = true\nrequired_checks = ["smoke"]\n'
    config = loaded(SLACK + policy + ORDER + "required_checks = []\nown_deployment = false\n")
    assert config.domains["order"].policy.required_checks == ()
    assert config.domains["order"].policy.own_deployment is False
    assert config.policy.required_checks == ("smoke",)


def test_a_domain_is_found_by_its_application_and_group_together() -> None:
    config = loaded(SMALL)
    assert config.find_domain("order-app", "order-dg") is config.domains["order"]
    assert config.find_domain("order-app", "payment-dg") is None
    assert config.find_domain("payment-app", "order-dg") is None


def test_the_configuration_cannot_be_changed() -> None:
    config = loaded(SMALL)
    with pytest.raises(TypeError):
        config.domains["other"] = config.domains["order"]  # type: ignore[index]  # the type says so too
    with pytest.raises(AttributeError):
        config.channel = "C02"  # type: ignore[misc]  # likewise


def test_policy_may_be_left_out_where_every_domain_names_its_approvers() -> None:
    config = loaded(SLACK + ORDER + 'approvers = ["S0ONCALL"]\n')
    assert config.domains["order"].policy.approvers == ("S0ONCALL",)
    assert config.policy.approvers == ()


def test_whoever_is_named_twice_counts_once() -> None:
    config = loaded(SLACK + '[policy]\napprovers = ["U01KIM", "U01KIM"]\n' + ORDER)
    assert config.policy.approvers == ("U01KIM",)
    twice = SLACK + '[policy]\napprovers = ["U01KIM", "U01KIM"]\napprovals = 2\n' + ORDER
    assert "only 1 can approve" in told(twice)["policy.approvals"]


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (SMALL + "aplication = 1\n", "domains.order.aplication", "Did you mean application?"),
        (SLACK + POLICY + "aproval = 5\n" + ORDER, "policy.aproval", "Did you mean approvals?"),
        (SMALL + "[domain.x]\n", "domain", "Did you mean domains?"),
        (SMALL + "[zzz]\n", "zzz", "Known here: slack, policy, people, "),
        (SLACK + "token = 1\n" + POLICY + ORDER, "slack.token", "is unknown"),
        (SLACK + "[policy]\napprovers = []\n" + ORDER, "policy.approvers", "is empty"),
        (SMALL + "approvers = []\n", "domains.order.approvers", "is empty"),
        (SLACK + ORDER, "policy.approvers", "these domains name none of their own: order"),
        (SLACK + '[policy]\napprovers = ["@kim"]\n' + ORDER, "policy.approvers", '"@kim" is no id'),
        (SLACK + '[policy]\napprovers = ["u01kim"]\n' + ORDER, "policy.approvers", '"u01kim" is no id'),
        (SLACK + POLICY + "approvals = 0\n" + ORDER, "policy.approvals", "Write 1 or more"),
        (SLACK + POLICY + "approvals = 2\n" + ORDER, "policy.approvals", "only 1 can approve"),
        (SMALL + "approvals = 2\n", "domains.order.approvals", "Write at most 1"),
        (SLACK + POLICY + "approvals = true\n" + ORDER, "policy.approvals", "is no whole number"),
        (SLACK + POLICY + 'approvals = "1"\n' + ORDER, "policy.approvals", "is no whole number"),
        (SLACK + POLICY + "own_deployment = 1\n" + ORDER, "policy.own_deployment", "neither true nor false"),
        (SLACK + POLICY + 'on_deadline = "approve"\n' + ORDER, "policy.on_deadline", 'Write "reject"'),
        (SMALL + "deadline_minutes = 60\n", "domains.order.deadline_minutes", "Write at most 59"),
        (SMALL + "deadline_minutes = 0\n", "domains.order.deadline_minutes", "Write 1 to 59"),
        (SMALL + "deadline_minutes = 5.5\n", "domains.order.deadline_minutes", "is no whole number"),
        (SMALL + 'channel = "#deploys"\n', "domains.order.channel", '"#deploys" is no Slack channel id'),
        ("[slack]\nchannel = 5\n" + POLICY + ORDER, "slack.channel", "is no text"),
        (POLICY + ORDER, "slack.channel", 'Add channel = "C01DEPLOY".'),
        (SLACK + 'admins = ["C01"]\n' + POLICY + ORDER, "slack.admins", '"C01" is no id'),
        (SLACK + 'admins = "U01"\n' + POLICY + ORDER, "slack.admins", "is no list"),
        (SLACK + "admins = [1]\n" + POLICY + ORDER, "slack.admins", "is no text"),
        (SMALL + "listener_port = 0\n", "domains.order.listener_port", "is 0, which is no port"),
        (SMALL + "listener_port = 65536\n", "domains.order.listener_port", "which is no port"),
        (SMALL + "required_checks = [' ']\n", "domains.order.required_checks", "holds an empty name"),
        (SLACK + POLICY, "domains", "names no domain"),
        ("domains = 5\n" + SLACK + POLICY, "domains", "is no table"),
        ('policy = "x"\n' + SLACK + ORDER, "policy", "is no table"),
        ("people = 5\n" + SMALL, "people", "is no table"),
        (SLACK + POLICY + "[domains]\norder = 1\n", "domains.order", "is no table"),
        (
            SLACK + POLICY + '[domains.order]\napplication = "a"\n',
            "domains.order.deployment_group",
            "is missing",
        ),
        (SMALL.replace('"order-app"', '" "'), "domains.order.application", "has blanks around it"),
        (
            SMALL.replace("[domains.order]", '[domains."Order Service"]'),
            'domains."Order Service"',
            "is no name",
        ),
        (SMALL.replace("[domains.order]", f"[domains.{'o' * 41}]"), f"domains.{'o' * 41}", "1 to 40"),
        (SMALL + '[people]\nkim = "S0GROUP"\n', "people.kim", '"S0GROUP" is no Slack user id'),
        (SMALL + "[people]\nkim = 5\n", "people.kim", "is no Slack user id"),
        (SMALL + '[people]\nkim = "U01"\nKim = "U02"\n', "people.Kim", "Keep one of the two"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_a_remedy(text: str, key: str, said: str) -> None:
    problems = told(text)
    assert list(problems) == [key]
    assert said in problems[key]


def test_one_deployment_group_cannot_be_two_domains() -> None:
    double = ORDER.replace("domains.order", "domains.second")
    problems = told(SMALL + double)
    assert list(problems) == ["domains.second.deployment_group"]
    assert "is that of domain order too" in problems["domains.second.deployment_group"]


def test_one_application_with_two_groups_is_two_domains() -> None:
    other = ORDER.replace("domains.order", "domains.second").replace("order-dg", "second-dg")
    assert set(loaded(SMALL + other).domains) == {"order", "second"}


def test_the_same_login_in_other_letters_for_the_same_person_is_no_mistake() -> None:
    config = loaded(SMALL + '[people]\nkim = "U01"\nKim = "U01"\n')
    assert config.people == {"kim": "U01", "Kim": "U01"}


def test_more_approvals_than_people_are_fine_where_a_group_is_listed() -> None:
    policy = '[policy]\napprovers = ["U01KIM", "S0ONCALL"]\napprovals = 5\n'
    assert loaded(SLACK + policy + ORDER).policy.approvals == 5


@pytest.mark.parametrize("word", sorted(RESERVED_WORDS))
def test_a_domain_is_not_named_by_a_word_of_the_command(word: str) -> None:
    problems = told(SMALL.replace("domains.order", f"domains.{word}"))
    assert set(problems) == {f"domains.{word}"}
    assert "/deploys takes for itself" in problems[f"domains.{word}"]


def test_when_to_call_somebody_is_refused_where_nobody_is_to_be_called() -> None:
    early, leads = "escalate_before_minutes = 10\n", 'escalate_to = "S0LEADS"\n'
    policy = SMALL.replace("[policy]\n", f"[policy]\n{early}")
    assert set(told(SMALL + early)) == {"domains.order.escalate_before_minutes"}
    assert set(told(policy)) == {"policy.escalate_before_minutes"}
    assert set(told(policy + early)) == {
        "policy.escalate_before_minutes",
        "domains.order.escalate_before_minutes",
    }
    assert loaded(policy + leads).domains["order"].policy.reminder_settings.escalate_before == timedelta(
        minutes=10
    )
    own = loaded(SMALL.replace("[policy]\n", f"[policy]\n{leads}") + early)
    assert own.domains["order"].policy.reminder_settings.escalate_before == timedelta(minutes=10)


def test_every_mistake_is_told_at_once() -> None:
    text = (
        '[slack]\nchannel = "general"\nchanel = "C01"\n'
        "[policy]\napprovers = []\ndeadline_minutes = 75\n"
        + ORDER
        + "listener_port = 99999\n"
        + ORDER.replace("domains.order", "domains.second")
        + ORDER.replace("domains.order", "domains.third")
    )
    assert set(told(text)) == {
        "slack.channel",
        "slack.chanel",
        "policy.approvers",
        "policy.deadline_minutes",
        "domains.order.listener_port",
        "domains.third.deployment_group",
    }


def test_a_file_that_is_not_toml_is_told_with_its_line() -> None:
    problems = told('[slack]\nchannel = "C01"\nadmins = [\n')
    assert "is not TOML" in problems[""]
    assert "at end of document" in problems[""] or "line" in problems[""]
    assert "line 2" in told("[slack]\nchannel = C01\n")[""]


def test_a_file_that_cannot_be_read_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"nowhere\.toml: cannot be read: no such file or directory\. Write"
    ):
        load_config(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match=r"cannot be read: is a directory"):
        load_config(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.toml: is not UTF-8 \(byte 2\)"):
        load_config(tmp_path / "latin.toml")


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_loads(tmp_path: Path) -> None:
    file = tmp_path / "switchgate.toml"
    file.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert set(load_config(file).domains) == {"order"}


def test_a_problem_reads_as_file_key_what_and_remedy() -> None:
    with pytest.raises(ConfigError) as refusal:
        loaded(SMALL + "deadline_minutes = 75\n")
    assert str(refusal.value) == (
        "switchgate.toml: domains.order.deadline_minutes: is 75, but CodeDeploy's own limit of one hour must not"
        " run out first. Write at most 59."
    )


def test_domains_in_observe_mode_are_warned_of_and_counted() -> None:
    config = loaded(SLACK + POLICY + ORDER + 'own_deployment = true\nmode = "observe"\n')
    (observed,) = warnings(config)
    assert "no deployment of order is held" in observed
    assert 'mode = "enforce"' in observed
    RuntimeConfig(
        config,
        roster=lambda: Roster(groups={}),
        last_synced_at=lambda _: None,
        clock=lambda: datetime(2026, 11, 29, tzinfo=UTC),
    )
    assert REGISTRY.get_sample_value("switchgate_observed_domains") == 1


def test_people_that_nobody_maps_are_warned_of() -> None:
    (people,) = warnings(loaded(CONTRACT))
    assert "[people] is empty" in people
    assert warnings(loaded(SLACK + POLICY + ORDER + "own_deployment = true\n")) == []
