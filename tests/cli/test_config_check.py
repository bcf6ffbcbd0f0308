"""`switchgate` alone, its help, and `switchgate config check`."""

from pathlib import Path

import pytest

from tests.aws.config_store import ConfigStore
from tests.cli.commands import Shell, is_clean

GOOD = """
[slack]
channel = "C01DEPLOY"
[policy]
approvers = ["U01KIM"]
own_deployment = true
[domains.order]
application = "order-app"
deployment_group = "order-dg"
"""

TWIN = '\n[domains.payment]\napplication = "order-app"\ndeployment_group = "order-dg"\n'

BAD = {
    "an unknown key": (
        GOOD.replace("own_deployment", "own_deploymnet"),
        "policy.own_deploymnet",
        "own_deployment?",
    ),
    "no approvers": (GOOD.replace('["U01KIM"]', "[]"), "policy.approvers", "Name at least one"),
    "one group twice": (
        GOOD + TWIN,
        "domains.payment.deployment_group",
        "Give each domain a deployment group",
    ),
    "an hour": (GOOD.replace("[domains", "deadline_minutes = 60\n[domains"), "policy.deadline_minutes", "59"),
    "a word of the command": (
        GOOD.replace("domains.order", "domains.freeze"),
        "domains.freeze: is a word that /deploys takes for itself",
        "another name",
    ),
    "nobody to call": (
        GOOD.replace("[domains", "escalate_before_minutes = 10\n[domains"),
        "policy.escalate_before_minutes",
        "escalate_to",
    ),
    "no TOML": ("[slack", "not TOML", "Correct that line"),
    "no domain": (GOOD.partition("[domains")[0], "domains", "Add a table"),
}


def test_every_command_is_named_by_the_bare_one(shell: Shell) -> None:
    for words in ((), ("--help",)):
        said = shell.run(*words)
        for command in ("serve", "migrate", "audit", "config", "doctor", "sandbox"):
            assert command in said.all
        assert is_clean(said)


@pytest.mark.parametrize(
    "words", [("nonsense",), ("audit", "--nonsense"), ("config", "nonsense"), ("serve", "x")]
)
def test_an_unknown_word_is_a_mistake_of_use(shell: Shell, words: tuple[str, ...]) -> None:
    said = shell.run(*words)

    assert said.status == 2
    assert words[-1] in said.err
    assert is_clean(said)


def test_a_good_file_is_counted(shell: Shell) -> None:
    (shell.folder / "switchgate.toml").write_text(GOOD)

    said = shell.run("config", "check")

    assert (said.status, said.out, said.err) == (0, "switchgate.toml: 1 domain: order\n", "")


def test_several_domains_are_counted(shell: Shell) -> None:
    (shell.folder / "switchgate.toml").write_text(GOOD + TWIN.replace("order", "payment"))

    assert shell.run("config", "check").out == "switchgate.toml: 2 domains: order, payment\n"


def test_the_file_is_found_by_argument_or_variable(shell: Shell) -> None:
    elsewhere = shell.folder / "elsewhere.toml"
    elsewhere.write_text(GOOD)

    assert shell.run("config", "check", str(elsewhere)).status == 0
    assert shell.run("config", "check", SWITCHGATE_CONFIG=str(elsewhere)).status == 0
    said = shell.run("config", "check", SWITCHGATE_CONFIG=GOOD)
    assert (said.status, said.out) == (0, "SWITCHGATE_CONFIG: 1 domain: order\n")


def test_an_object_in_s3_is_checked_before_it_is_named(shell: Shell) -> None:
    with ConfigStore() as store:
        store.objects["klp-config", "new.toml"] = GOOD.encode()
        said = shell.run("config", "check", "s3://klp-config/new.toml", **store.environment())
        missing = shell.run(
            "config", "explain", "order", "--path", "s3://klp-config/x", **store.environment()
        )

    assert (said.status, said.out) == (0, "s3://klp-config/new.toml: 1 domain: order\n")
    assert missing.status == 2
    assert missing.err.startswith("s3://klp-config/x: cannot be read: NoSuchKey. Upload")
    wrong = shell.run("config", "check", "s3://klp-config")
    assert wrong.err.startswith("SWITCHGATE_CONFIG: begins with s3: and names no place that can be read")
    assert is_clean(wrong)


def test_what_a_file_asks_for_in_vain_is_a_warning(shell: Shell) -> None:
    (shell.folder / "switchgate.toml").write_text(
        GOOD.replace("own_deployment = true", "own_deployment = false")
    )

    said = shell.run("config", "check")

    assert said.status == 0
    assert "warning: own_deployment = false" in said.err


@pytest.mark.parametrize(("text", "key", "remedy"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_named_with_its_key_and_the_remedy(
    shell: Shell, text: str, key: str, remedy: str
) -> None:
    (shell.folder / "switchgate.toml").write_text(text)

    said = shell.run("config", "check")

    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("switchgate.toml: ")
    assert key in said.err
    assert remedy in said.err
    assert is_clean(said)


def test_every_problem_is_told_at_once(shell: Shell) -> None:
    (shell.folder / "switchgate.toml").write_text(
        GOOD.replace("C01DEPLOY", "#deploys").replace("[domains", "deadline_minutes = 99\n[domains")
    )

    said = shell.run("config", "check")

    assert [line.split(": ")[1] for line in said.err.splitlines()] == [
        "slack.channel",
        "policy.deadline_minutes",
    ]


def test_a_missing_file_says_where_to_get_one(shell: Shell) -> None:
    said = shell.run("config", "check", str(Path("nowhere") / "switchgate.toml"))

    assert said.status == 2
    assert "nowhere/switchgate.toml: cannot be read" in said.err
    assert "Write one with `switchgate init`" in said.err
