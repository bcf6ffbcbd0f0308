"""`switchgate`: every command."""

import asyncio
import os
import sys
from contextlib import ExitStack
from difflib import get_close_matches
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from app.cli.config_source import config_source, configured_source
from app.cli.init_command import init
from app.config.database_urls import DatabaseUrls
from app.config.environment import (
    Settings,
    SettingsError,
    load_database_url,
    load_database_urls,
    load_settings,
)
from app.config.loader import Config, ConfigError, count_domains, load_from, warnings
from app.db.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, default_folder
from app.flow.ports.database import DatabaseUnavailable
from app.observability.logging import configure_logging, register_secrets

app = typer.Typer(
    name="switchgate",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="switchgate.toml.", no_args_is_help=True)
app.add_typer(config_app, name="config")
domains_app = typer.Typer(help="The domains of switchgate.toml.", no_args_is_help=True)
app.add_typer(domains_app, name="domains")
slack_app = typer.Typer(help="The Slack app.", no_args_is_help=True)
app.add_typer(slack_app, name="slack")

PLACE = "A path, s3://bucket/key or ssm:/name; default: $SWITCHGATE_CONFIG or ./switchgate.toml."
SWITCH_SECONDS = 0.0005


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"switchgate {version('switchgate')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Prints the version.",
            is_eager=True,
            callback=lambda value: _print_version(wanted=value),
        ),
    ] = False,
) -> None:
    """Holds every ECS blue/green traffic switch of CodeDeploy until people approve it."""


@app.command()
def serve() -> None:
    """Runs the service until SIGTERM. SIGHUP reads switchgate.toml again, wherever it is."""
    from app.server import serve as run_service
    from app.slack.auth_check import CannotStart

    # boto3 parses in threads beside the event loop; by default each may delay a request by 5 ms at a time.
    sys.setswitchinterval(SWITCH_SECONDS)
    settings = _settings()
    with ExitStack() as stack:
        try:
            source = config_source(settings.config)
            config = load_from(source)
            for warning in warnings(config):
                typer.echo(f"warning: {warning}", err=True)
            url = _database_url(settings.database_url, stack, migrated=True)
            asyncio.run(run_service(settings, config, source=source, database_url=url))
        except (ConfigError, CannotStart) as exc:
            _refuse(str(exc))


@app.command()
def migrate(
    to: Annotated[
        str,
        typer.Option(help="A revision to go to, also backwards; `base` drops every table and needs --yes."),
    ] = "head",
    yes: Annotated[bool, typer.Option("--yes", help="Confirms --to base.")] = False,
    create_role: Annotated[
        bool,
        typer.Option(
            "--create-role",
            help="Creates the role that DATABASE_URL names, with its password, where there is none.",
        ),
    ] = False,
) -> None:
    """Brings the database to this release's tables. Replicas may start it together.

    With DATABASE_OWNER_URL it runs as the role that owns the tables, and grants the role of DATABASE_URL what the
    service needs.
    """
    from app.cli.migrate import CannotMigrate, check_migration, migrate_database

    urls = _or_refuse_urls()
    configure_logging(format=None, level="INFO")
    register_secrets(*urls.passwords())
    with ExitStack() as stack:
        try:
            check_migration(urls, to=to, confirmed=yes, create_role=create_role)
            url = _database_url(urls.url, stack, migrated=False)
            typer.echo(migrate_database(url, owner_url=urls.owner_url, to=to, create_role=create_role))
        except CannotMigrate as exc:
            _refuse(str(exc))


app.command()(init)


@app.command()
def audit(
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None,
    deployment: Annotated[str | None, typer.Option(help="Only this deployment (d-…).")] = None,
    person: Annotated[
        str | None,
        typer.Option(help="Only this person: a Slack user id (U…), a mention, or a name as it is printed."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only this kind of event, for example gate_decided.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="From then on: 2026-11-24T14:00+09:00, or 2h, 3d.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Until then (not counted in).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Prints the audit trail: who decided what, when and why."""
    from app.cli.audit import audit_table, names_domain, read_audit

    given = _or_refuse_url()
    if given is None:
        _refuse_to_make_a_record()
    with ExitStack() as stack:
        url = _database_url(given, stack, migrated=True)
        try:
            lines = asyncio.run(
                read_audit(
                    url,
                    domain=domain,
                    deployment=deployment,
                    person=person,
                    kind=kind,
                    since=since,
                    until=until,
                    limit=limit,
                )
            )
        except ValueError as exc:
            _refuse(str(exc))
        except DatabaseUnavailable as exc:
            _refuse(f"DATABASE_URL: the database cannot be used: {exc}")
        typer.echo(audit_table(lines, as_json=json))
        if domain is not None and not names_domain(lines, domain):
            _say_if_unknown(domain)


@config_app.command("check")
def config_check(
    path: Annotated[str | None, typer.Argument(help=PLACE)] = None,
) -> None:
    """Reads switchgate.toml as the service would, and reports problems."""
    name, config = _config(path)
    for warning in warnings(config):
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"{name}: {count_domains(config)}: {', '.join(sorted(config.domains))}")


@config_app.command("explain")
def config_explain(
    domain: Annotated[str, typer.Argument(help="One of the file's domains.")],
    path: Annotated[str | None, typer.Option(help=PLACE)] = None,
    locale: Annotated[str | None, typer.Option(help="en or ko; default: $SWITCHGATE_LOCALE or en.")] = None,
) -> None:
    """Prints the rules of one domain in words: who can approve, which checks must pass, when nobody can."""
    from app.cli.explain import explained
    from app.i18n.catalog import LOCALES, known

    if locale not in (None, *LOCALES):
        _refuse(f"--locale: {locale} is neither {' nor '.join(LOCALES)}")
    name, config = _config(path)
    found = config.domains.get(domain)
    if found is None:
        _refuse(_no_domain(domain, name, config))
    language = known(locale or os.environ.get("SWITCHGATE_LOCALE"))
    typer.echo(explained(config, found, locale=language))


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Checks the whole setup, a line each. Exits with 1 for trouble, with 2 if something could not be checked."""
    from app.bootstrap import utc_now
    from app.cli.doctor.examine import examine
    from app.cli.doctor.findings import exit_status

    # The findings are the output; logs of libraries would obscure them.
    configure_logging(format=None, level="CRITICAL")
    found = asyncio.run(examine(os.environ, clock=utc_now))
    for finding in found:
        typer.echo(finding.as_json() if json else finding)
    raise SystemExit(exit_status(found))


@app.command()
def sandbox(
    once: Annotated[
        str | None, typer.Option(help="approve or reject: one deployment through, without a browser.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where the page listens; 0: any free port.")
    ] = 8099,
    locale: Annotated[
        str | None, typer.Option(help="The cards' language: en or ko; default: $SWITCHGATE_LOCALE or en.")
    ] = None,
) -> None:
    """Runs everything on this machine: the service, Postgres, stand-in Slack and AWS, one page."""
    from app.i18n.catalog import LOCALES
    from app.sandbox.command import run_sandbox

    from_environment = os.environ.get("SWITCHGATE_LOCALE") or "en"
    if locale is None and from_environment not in LOCALES:
        _refuse(f"SWITCHGATE_LOCALE: {from_environment} is neither {' nor '.join(LOCALES)}")
    raise SystemExit(run_sandbox(once=once, port=port, locale=locale or from_environment))


@domains_app.command("discover")
def domains_discover(
    region: Annotated[str | None, typer.Option(help="The AWS region; default: $AWS_REGION.")] = None,
) -> None:
    """Lists CodeDeploy's deployment groups and prints their tables of switchgate.toml. ECS-native deployments without
    CodeDeploy are not among them."""
    from app.cli.discover import CannotDiscover, Discovery
    from app.cli.domain_tables import tables_text

    try:
        found = Discovery(region=region).groups()
    except CannotDiscover as exc:
        _refuse(str(exc))
    if not found:
        _refuse(
            "CodeDeploy has no deployment group here. Check AWS_REGION and the account of the credentials."
        )
    typer.echo(tables_text(found), nl=False)


@slack_app.command("manifest")
def slack_manifest(
    url: Annotated[
        str | None,
        typer.Option(help="Switchgate's public https address, for HTTP mode. Without it: Socket Mode."),
    ] = None,
) -> None:
    """Prints the manifest from which the Slack app is created, with the scopes that the code uses."""
    from app.slack.manifest import NotAnAddress, manifest_text

    try:
        typer.echo(manifest_text(url), nl=False)
    except NotAnAddress as exc:
        _refuse(f"--url: {exc}. For example --url https://switchgate.example.com")


def run() -> None:
    """The console script."""
    app()


def _config(place: str | None) -> tuple[str, Config]:
    """What problems call it, and the configuration."""
    try:
        source = config_source(place) if place else configured_source(os.environ)
        return source.name, load_from(source)
    except ConfigError as exc:
        _refuse(str(exc))


def _no_domain(name: str, file: str, config: Config) -> str:
    said = f"{file}: no domain {name}; there are {', '.join(sorted(config.domains))}"
    near = get_close_matches(name.lower(), config.domains, n=1)
    return f"{said}. Did you mean {near[0]}?" if near else said


def _say_if_unknown(domain: str) -> None:
    """Warns if the configuration has no such domain. It is no error: a domain that was removed still has a history."""
    try:
        source = configured_source(os.environ)
        config = load_from(source)
    except ConfigError:
        return  # the audit trail is also read on machines without the file
    if domain not in config.domains:
        typer.echo(_no_domain(domain, source.name, config), err=True)


def _settings() -> Settings:
    try:
        settings = load_settings(os.environ)
    except SettingsError as exc:
        _refuse(str(exc))
    configure_logging(format=settings.log_format, level=settings.log_level)
    register_secrets(*settings.secrets())
    return settings


def _or_refuse_url() -> str | None:
    try:
        return load_database_url(os.environ)
    except SettingsError as exc:
        _refuse(str(exc))


def _or_refuse_urls() -> DatabaseUrls:
    try:
        return load_database_urls(os.environ)
    except SettingsError as exc:
        _refuse(str(exc))


def _refuse_to_make_a_record() -> None:
    """Refuses to create a database for a reader, because an empty one would say that nothing happened."""
    folder = default_folder(os.environ)
    if not EmbeddedPostgres(folder).is_initialised():
        _refuse(
            f"DATABASE_URL: is not set, and no embedded Postgres was ever started in {folder}, so there is nothing"
            " to read. Name the service's database. For example"
            " DATABASE_URL=postgresql://switchgate:password@db.internal:5432/switchgate?sslmode=verify-full"
        )


def _database_url(url: str | None, stack: ExitStack, *, migrated: bool) -> str:
    """The given database, or an embedded one for as long as `stack` lasts, migrated."""
    if url is not None:
        return url
    from app.db.migrate import migrate as run_migrations

    folder = default_folder(os.environ)
    typer.echo(f"DATABASE_URL is not set: using an embedded Postgres in {folder}", err=True)
    postgres = EmbeddedPostgres(folder)
    try:
        postgres.start()
    except EmbeddedPostgresError as exc:
        _refuse(str(exc))
    stack.callback(postgres.stop)
    if migrated:
        run_migrations(postgres.url)
    return postgres.url


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    sys.exit(2)
