"""The whole sandbox but its page: Postgres, both stand-ins and one replica of the real service."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.embedded_postgres import EmbeddedPostgres, temporary_folder
from app.record.migrate import migrate
from app.sandbox.pipeline import Pipeline
from app.sandbox.replica import Replica, free_port
from app.sandbox.stage import Stage

LOG: Final = "service.log"


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

    Raises `PostgresTrouble` and `ReplicaTrouble`, each saying what is the matter.
    """
    with temporary_folder("switchgate-sandbox-") as folder:
        postgres = EmbeddedPostgres(folder / "postgres", durable=False)
        try:
            postgres.start()
            migrate(postgres.url)
            with Stage(folder, locale=locale, history=True) as stage:
                port = free_port()
                stage.service_urls = [f"http://127.0.0.1:{port}"]
                environment = stage.environment(database_url=postgres.url, port=port)
                with Replica(environment, log=folder / LOG) as replica:
                    replica.wait_ready()
                    yield Whole(stage=stage, replica=replica, pipeline=Pipeline(stage.aws), log=folder / LOG)
        finally:
            postgres.stop()
