"""Writes a first `switchgate.toml` and `.env`, and refuses what the service would refuse."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from app.config.environment import load_settings
from app.config.loader import parse_config
from app.config.schema import dotted, toml_value

CONFIG_FILE: Final = "switchgate.toml"
ENVIRONMENT_FILE: Final = ".env"
SECRET_MODE: Final = 0o600
CONFIG_MODE: Final = 0o644

EXAMPLE_DOMAIN: Final = """\
# One table for each deployment group; `switchgate domains discover` prints all of them. Begin with one that is not
# critical.
[domains.{name}]
application = {application}
deployment_group = {deployment_group}
# "observe": nobody has to approve, and each card says what would have held the switch. A deployment still fails if its
# hook is refused (no domain names its group, wrong key, wrong event), if no replica answers, if CodeDeploy does not
# confirm it before the deadline, or if somebody rejects it first. Write "enforce" after the first week.
mode = {mode}
"""
CONFIG: Final = """\
# Switchgate's configuration. Check it with `switchgate config check`. Nothing here is a secret.

[slack]
# Where cards go: the id at the foot of the channel's details. Invite the app to it.
channel = {channel}
# Who can freeze and break glass: users (U…) and user groups (S…).
admins = {admins}

# The rules of every domain that does not give its own.
[policy]
# Who can approve: users (U…) and user groups (S…), and how many of them have to.
approvers = {approvers}
approvals = 1
# Whether somebody can approve a deployment of their own.
own_deployment = false
# While the deployer is not known for certain, two different people have to approve, so that none approves alone what
# may be their own. [people] below makes deployers known. "allow": one person is enough all the same.
# unknown_deployer = "allow"
# Minutes after which an undecided deployment is rejected.
deadline_minutes = 55

# Whose deployment it is: GitHub logins, as the tag github-actor of task definitions names them. While a login is not
# here, its deployments have an unknown deployer: see unknown_deployer above.
[people]
# "github-login" = "U01KIM"

{domain}"""
ENVIRONMENT: Final = """\
# Secrets: keep this file out of version control. Switchgate reads its environment, not this file:
# env $(grep -v '^#' .env) switchgate serve, docker run --env-file .env, or EnvironmentFile= of systemd.
{database}
# kid:secret. The hook Lambda has the same two (SWITCHGATE_HOOK_KEY_ID, SWITCHGATE_HOOK_SECRET).
SWITCHGATE_HOOK_SECRETS={hook_secrets}
SWITCHGATE_LOCALE={locale}
SLACK_BOT_TOKEN={bot_token}
{slack}
AWS_REGION={region}
"""


class CannotInitialise(Exception):
    """Nothing was written; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What a first configuration needs. Either `app_token` (Socket Mode) or `signing_secret` (HTTP mode)."""

    channel: str
    approvers: tuple[str, ...]
    admins: tuple[str, ...]
    domain: str
    application: str
    deployment_group: str
    bot_token: str
    app_token: str
    signing_secret: str
    region: str
    database_url: str
    locale: str
    observe: bool


def write_files(answers: Answers, folder: Path) -> tuple[Path, Path]:
    """Writes both files or none. Raises `CannotInitialise`, `ConfigError` and `SettingsError`."""
    if not all(text.isprintable() for text in _texts(answers)):
        raise CannotInitialise("a value holds a line end or another character that cannot be shown")
    config, environment = folder / CONFIG_FILE, folder / ENVIRONMENT_FILE
    texts = {
        config: (config_text(answers), CONFIG_MODE),
        environment: (environment_text(answers), SECRET_MODE),
    }
    parse_config(texts[config][0], file=CONFIG_FILE)
    load_settings(variables_in(texts[environment][0]))
    taken = [path.name for path in texts if path.exists() or path.is_symlink()]
    if taken:
        raise CannotInitialise(f"{' and '.join(taken)} exists already in {folder}: nothing was written")
    written: list[Path] = []
    try:
        for path, (text, mode) in texts.items():
            _create(path, text, mode)
            written.append(path)
    except OSError as exc:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise CannotInitialise(f"{exc.filename}: could not be written ({exc.strerror})") from None
    return config, environment


def config_text(answers: Answers) -> str:
    """The commented `switchgate.toml`."""
    domain = EXAMPLE_DOMAIN.format(
        name=dotted(answers.domain),
        application=toml_value(answers.application),
        deployment_group=toml_value(answers.deployment_group),
        mode=toml_value("observe" if answers.observe else "enforce"),
    )
    return CONFIG.format(
        channel=toml_value(answers.channel),
        admins=toml_value(list(answers.admins)),
        approvers=toml_value(list(answers.approvers)),
        domain=domain,
    )


def environment_text(answers: Answers) -> str:
    """The `.env`, with a new hook secret."""
    database = "# DATABASE_URL is unset: an embedded Postgres, for a trial."
    if answers.database_url:
        database = f"DATABASE_URL={answers.database_url}"
    socket = answers.app_token or not answers.signing_secret
    slack = (
        f"SLACK_APP_TOKEN={answers.app_token}" if socket else f"SLACK_SIGNING_SECRET={answers.signing_secret}"
    )
    return ENVIRONMENT.format(
        database=database,
        hook_secrets=f"first:{secrets.token_hex(32)}",
        locale=answers.locale,
        bot_token=answers.bot_token,
        slack=slack,
        region=answers.region,
    )


def variables_in(text: str) -> Mapping[str, str]:
    """What a `.env` sets. Values are taken as they stand, as Docker does."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _texts(answers: Answers) -> Iterator[str]:
    for value in asdict(answers).values():
        yield from (str(each) for each in (value if isinstance(value, tuple) else (value,)))


def _create(path: Path, text: str, mode: int) -> None:
    """A new file, with its mode from the beginning; an existing one is never replaced."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
