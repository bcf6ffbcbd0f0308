"""`switchgate init`: its flags, and prompts for what they leave out where a terminal is there."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.init import Answers, CannotInitialise, write_files
from app.config.environment import SettingsError
from app.config.loader import ConfigError

NEXT: Final = """
Next:
{enter}  switchgate config check
  env $(grep -v '^#' .env) switchgate migrate
  env $(grep -v '^#' .env) switchgate serve
  env $(grep -v '^#' .env) switchgate doctor   # in another terminal, while it runs

Switchgate reads its environment, not .env itself. A container gets it by docker run --env-file .env, a unit of systemd
by EnvironmentFile=."""


def init(
    channel: Annotated[str, typer.Option(help="The channel of the cards (C…).")] = "",
    approvers: Annotated[str, typer.Option(help="Users and user groups, with commas between.")] = "",
    admins: Annotated[str, typer.Option(help="Who can freeze and break glass, with commas between.")] = "",
    domain: Annotated[str, typer.Option(help="A name for the first domain.")] = "",
    application: Annotated[str, typer.Option(help="Its CodeDeploy application.")] = "",
    deployment_group: Annotated[str, typer.Option(help="Its deployment group.")] = "",
    region: Annotated[str, typer.Option(envvar="AWS_REGION", help="The AWS region.")] = "",
    bot_token: Annotated[str, typer.Option(envvar="SLACK_BOT_TOKEN", help="xoxb-…")] = "",
    app_token: Annotated[str, typer.Option(envvar="SLACK_APP_TOKEN", help="xapp-…: Socket Mode.")] = "",
    signing_secret: Annotated[
        str, typer.Option(envvar="SLACK_SIGNING_SECRET", help="In place of an app token: HTTP mode.")
    ] = "",
    database_url: Annotated[
        str, typer.Option(envvar="DATABASE_URL", help="Left out: an embedded Postgres, for a trial.")
    ] = "",
    locale: Annotated[str, typer.Option(help="Language of the cards: en or ko.")] = "en",
    observe: Annotated[bool, typer.Option(help="Begin in observe mode: nobody has to approve.")] = True,
    folder: Annotated[Path, typer.Option(help="Where the two files are written.")] = Path(),
) -> None:
    """Writes a commented switchgate.toml and .env. It replaces no file. Secrets are better given as variables than as
    options, which other users of the machine can see."""
    answers = Answers(
        channel=_asked(channel, "--channel"),
        approvers=_listed(_asked(approvers, "--approvers")),
        admins=_listed(admins),
        domain=_asked(domain, "--domain"),
        application=_asked(application, "--application"),
        deployment_group=_asked(deployment_group, "--deployment-group"),
        region=_asked(region, "--region"),
        bot_token=_asked(bot_token, "--bot-token", secret=True),
        app_token=app_token or ("" if signing_secret else _asked("", "--app-token", secret=True)),
        signing_secret=signing_secret,
        database_url=database_url,
        locale=locale,
        observe=observe,
    )
    try:
        written = write_files(answers, folder)
    except (CannotInitialise, ConfigError, SettingsError) as exc:
        typer.echo(str(exc), err=True)
        raise typer.Exit(2) from None
    for path in written:
        typer.echo(f"wrote {path}")
    typer.echo(NEXT.format(enter="" if folder == Path() else f"  cd {shlex.quote(str(folder))}\n"))


def _asked(given: str, option: str, *, secret: bool = False) -> str:
    """The option, or what somebody types where a terminal is there; exits where there is none."""
    if given:
        return given
    if not sys.stdin.isatty():
        typer.echo(f"{option}: is not given, and no terminal is there to ask", err=True)
        raise typer.Exit(2)
    name = option.removeprefix("--").replace("-", " ")
    return str(typer.prompt(name.capitalize(), hide_input=secret, err=True)).strip()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (entry.strip() for entry in text.split(","))))
