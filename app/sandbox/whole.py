"""The whole sandbox but its page: Postgres, both stand-ins and one replica of the real service."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.db.embedded_postgres import EmbeddedPostgres, temporary_folder
from app.db.migrate import migrate
from app.sandbox.cast import PAYMENT_RULES, config_text, people_of
from app.sandbox.pipeline import Pipeline
from app.sandbox.replica import Replica, free_port
from app.sandbox.smoke_tests import SmokeTests
from app.sandbox.stage import Stage

LOG: Final = "service.log"
TOKEN: Final = "sandbox-pipeline-token-0123456789abcdef"


@dataclass(frozen=True, kw_only=True, slots=True)
class Whole:
    """Everything, running. `stage` plays Slack and AWS; `replica` is the service; `log` its log."""

    stage: Stage
    replica: Replica
    pipeline: Pipeline
    log: Path


@contextmanager
def whole_sandbox(*, locale: str) -> Iterator[Whole]:
    """Starts everything in a temporary folder; stops and removes it afterwards.

    Raises `EmbeddedPostgresError` and `ReplicaTrouble`, each saying what is the matter.
    """
    with temporary_folder("switchgate-sandbox-") as folder:
        postgres = EmbeddedPostgres(folder / "postgres", durable=False)
        try:
            postgres.start()
            migrate(postgres.url)
            config = config_text(payment=PAYMENT_RULES, unknown_deployer="ask-two")
            with Stage(folder, users=people_of(locale), config=config, locale=locale, history=True) as stage:
                port = free_port()
                stage.service_urls = [f"http://127.0.0.1:{port}"]
                environment = {
                    **stage.environment(database_url=postgres.url, port=port),
                    "SWITCHGATE_API_TOKENS": f"pipeline:{TOKEN}:read+checks",
                }
                with Replica(environment, log=folder / LOG) as replica:
                    replica.wait_ready()
                    with SmokeTests(stage.aws, service=lambda: replica.url, token=TOKEN) as smoke_tests:
                        pipeline = Pipeline(stage.aws, smoke_tests=smoke_tests)
                        yield Whole(stage=stage, replica=replica, pipeline=pipeline, log=folder / LOG)
        finally:
            postgres.stop()
