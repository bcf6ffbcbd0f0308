"""Changes that bypass Switchgate: another client calls CodeDeploy or writes to the database."""

import asyncio

import boto3
import psycopg

from tests.harness import Harness


async def answers(harness: Harness, deployment: str, status: str) -> None:
    """Somebody calls PutLifecycleEventHookExecutionStatus with the hook's own execution id."""
    execution = harness.gate(deployment)["execution_id"]

    def put() -> None:
        boto3.client("codedeploy", region_name="ap-northeast-2").put_lifecycle_event_hook_execution_status(
            deploymentId=deployment, lifecycleEventHookExecutionId=execution, status=status
        )

    await asyncio.to_thread(put)


async def alters(harness: Harness, statement: str, *values: object) -> None:
    """Somebody with the database's password changes a row, beside the harness's loop and never on it."""

    def execute() -> None:
        with psycopg.connect(harness.database_url) as connection:
            connection.execute(statement, list(values))

    await asyncio.to_thread(execute)
