"""The sandbox without its page: Postgres, both stand-ins and one replica of the real service."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.db.embedded.postgres import EmbeddedPostgres, temporary_folder
from app.db.migrate import migrate
from app.sandbox.fakes import Fakes
from app.sandbox.people import DOMAIN_RULES, POLICY, config_text, people_of
from app.sandbox.pipeline import Pipeline
from app.sandbox.replica import Replica, free_port
from app.sandbox.smoke_tests import SmokeTests

LOG: Final = "service.log"
TOKEN: Final = "sandbox-pipeline-token-0123456789abcdef"


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxEnvironment:
    """The running sandbox. `fakes` are Slack and AWS; `replica` is the service; `log` its log file."""

    fakes: Fakes
    replica: Replica
    pipeline: Pipeline
    log: Path


@contextmanager
def sandbox_environment(*, locale: str) -> Iterator[SandboxEnvironment]:
    """Starts everything in a temporary folder; stops and removes it afterwards. Raises `EmbeddedPostgresError` and
    `ReplicaNotReady` with the reason."""
    with temporary_folder("switchgate-sandbox-") as folder:
        postgres = EmbeddedPostgres(folder / "postgres", durable=False)
        try:
            postgres.start()
            migrate(postgres.url)
            config = config_text(unknown_deployer="ask-two", policy=POLICY, **DOMAIN_RULES)
            with Fakes(folder, users=people_of(locale), config=config, locale=locale, history=True) as fakes:
                port = free_port()
                fakes.service_urls = [f"http://127.0.0.1:{port}"]
                environment = {
                    **fakes.environment(database_url=postgres.url, port=port),
                    "SWITCHGATE_API_TOKENS": f"pipeline:{TOKEN}:read+checks",
                }
                with Replica(environment, log=folder / LOG) as replica:
                    replica.wait_ready()
                    with SmokeTests(fakes.aws, service=lambda: replica.url, token=TOKEN) as smoke_tests:
                        pipeline = Pipeline(fakes.aws, smoke_tests=smoke_tests)
                        yield SandboxEnvironment(
                            fakes=fakes, replica=replica, pipeline=pipeline, log=folder / LOG
                        )
        finally:
            postgres.stop()
