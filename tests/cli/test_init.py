"""`switchgate init`: a first configuration that the service takes."""

import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.cli.init import variables_in
from app.config.environment import load_settings
from app.config.loader import load_config
from tests.cli.commands import Said, Shell, is_clean

OPTIONS = {
    "channel": "C01DEPLOY",
    "approvers": "S0ONCALL, U01APPROVER",
    "admins": "U01ADMIN",
    "domain": "order",
    "application": "klp-logistics-order-app",
    "deployment-group": "klp-logistics-order-dg",
    "region": "ap-northeast-2",
}
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1-2-of-a-test", "SLACK_APP_TOKEN": "xapp-1-2-of-a-test"}
FILES = ("switchgate.toml", ".env")


def init(shell: Shell, *more: str, environment: Mapping[str, str] = TOKENS, **changed: str) -> Said:
    options = {**OPTIONS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    words = [word for name, value in options.items() if value for word in (f"--{name}", value)]
    return shell.run("init", *words, *more, **environment)


def written(folder: Path) -> list[str]:
    return [name for name in FILES if (folder / name).exists()]


def test_both_files_pass_the_services_own_checks(shell: Shell) -> None:
    said = init(shell)
    assert said.status == 0, said.all
    config = load_config(shell.folder / "switchgate.toml")
    assert (config.channel, config.admins) == ("C01DEPLOY", ("U01ADMIN",))
    assert not config.policy.observe, "a domain that is added later does not inherit it"
    policy = config.domains["order"].policy
    assert (policy.approvers, policy.observe) == (("S0ONCALL", "U01APPROVER"), True)
    settings = load_settings(variables_in((shell.folder / ".env").read_text()))
    assert settings.slack_bot_token.get_secret_value() == TOKENS["SLACK_BOT_TOKEN"]
    (secret,) = settings.hook_secrets.values()
    assert len(secret.get_secret_value()) == 64
    assert shell.run("config", "check").status == 0
    # The image names a place of its own, which the file's default must not replace.
    assert "SWITCHGATE_CONFIG" not in (shell.folder / ".env").read_text()


def test_the_next_commands_get_the_variables_of_the_file(shell: Shell, database_url: str) -> None:
    said = init(shell, database_url=database_url)
    commands = [line.partition("   #")[0].strip() for line in said.out.splitlines() if line.startswith("  ")]
    assert [line.split()[-1] for line in commands] == ["check", "migrate", "serve", "doctor"]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    for line in commands[:2]:
        ran = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=shell.folder,
            env={"PATH": path, "HOME": str(shell.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
    (shell.folder / "other place").mkdir()
    assert "Next:\n  cd 'other place'\n" in init(shell, "--folder", "other place").out


def test_nobody_else_can_read_the_secrets_and_none_is_printed(shell: Shell) -> None:
    said = init(shell)
    text = (shell.folder / ".env").read_text()
    assert stat.S_IMODE((shell.folder / ".env").stat().st_mode) == 0o600
    for value in (*TOKENS.values(), variables_in(text)["SWITCHGATE_HOOK_SECRETS"]):
        assert value in text
        assert value not in said.all


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_replaced_and_none_is_half_written(shell: Shell, name: str) -> None:
    (shell.folder / name).write_text("mine")
    said = init(shell)
    assert said.status == 2
    assert f"{name} exists already" in said.err
    assert written(shell.folder) == [name]
    assert (shell.folder / name).read_text() == "mine"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"channel": "deploys"}, "slack.channel"),
        ({"approvers": "mina"}, "policy.approvers"),
        ({"domain": "Order Service"}, "domains"),
        ({"database_url": "postgresql://127.0.0.1/d\nHOST=0.0.0.0"}, "holds a line end"),
        ({"locale": "fr"}, "SWITCHGATE_LOCALE"),
        ({"database_url": "mysql://h/d"}, "DATABASE_URL"),
        ({"application": ""}, "--application: is not given, and no terminal is there to ask"),
    ],
)
def test_what_the_service_would_refuse_is_not_written(
    shell: Shell, changed: dict[str, str], says: str
) -> None:
    said = init(shell, environment=TOKENS, **changed)
    assert said.status == 2
    assert says in said.err
    assert is_clean(said)
    assert written(shell.folder) == []


def test_with_a_signing_secret_it_is_http_mode(shell: Shell) -> None:
    environment = {"SLACK_BOT_TOKEN": TOKENS["SLACK_BOT_TOKEN"], "SLACK_SIGNING_SECRET": "a" * 32}
    assert init(shell, "--no-observe", environment=environment).status == 0
    settings = load_settings(variables_in((shell.folder / ".env").read_text()))
    assert settings.slack_app_token is None
    assert not load_config(shell.folder / "switchgate.toml").domains["order"].policy.observe
