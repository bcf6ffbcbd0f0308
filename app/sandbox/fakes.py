"""The two stand-ins, connected by the real hook Lambda. The service is not part of it."""

import itertools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from app.hook_lambda.handler import handle
from app.sandbox.aws.deployments.pace import Pace
from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.hook_function import FUNCTION
from app.sandbox.aws.state.topology import ACCOUNT, EIGHT_DOMAINS, REGION, SandboxDomain
from app.sandbox.people import CHANNEL, ONCALL, PEOPLE, config_text
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.credentials import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from app.sandbox.slack.state.shapes import User

log = logging.getLogger(__name__)

KID: Final = "sandbox"
HOOK_SECRET: Final = "sandbox-hook-secret-0123456789abcdef"
LAMBDA_SECONDS: Final = 20.0
NOWHERE: Final = "http://127.0.0.1:9"
"""Where no service is."""


class LambdaContext:
    """The part of the Lambda context that the hook function reads."""

    def __init__(self, seconds: float, *, region: str = REGION) -> None:
        """`seconds`: the function's time-out, which begins now."""
        self.invoked_function_arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:CodeDeployHook_switchgate"
        self._ends_at = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends_at - time.monotonic()) * 1000))


class Fakes:
    """Slack and AWS, started together. The Lambda forwards hooks to `service_urls`, round robin."""

    def __init__(
        self,
        folder: Path,
        *,
        domains: Iterable[SandboxDomain] = EIGHT_DOMAINS,
        users: Iterable[User] = PEOPLE,
        config: str | None = None,
        locale: str = "en",
        socket_mode: bool = True,
        speed: float = 1.0,
        pace: Pace | None = None,
        seed: int | None = None,
        history: bool = False,
        region: str = REGION,
    ) -> None:
        """`folder` gets `switchgate.toml`. `config`: its text, if it is not to be the default.
        `region`: where the hook's Lambda runs."""
        domains = tuple(domains)
        self.config_file = folder / "switchgate.toml"
        self.config_file.write_text(config or config_text(domains), encoding="utf-8")
        self.service_urls: list[str] = []
        self._next_replica = itertools.count()
        self._locale = locale
        self._socket_mode = socket_mode
        self._region = region
        self.hook_log: list[str] = []
        self.lambda_seconds = LAMBDA_SECONDS
        """The function's time-out. It tries to reach the service until most of it has passed."""
        self.lambda_time: Callable[[], float] = time.time
        """The Lambda's clock. It is in the hook's signature; the service compares it with its own."""
        self.slack = SlackStandIn(users=users, groups=[ONCALL], channels=[CHANNEL])
        self.aws = AwsStandIn(
            domains,
            invoke_hook=self._invoke,
            speed=speed,
            pace=pace,
            seed=seed,
            history=history,
            regions=(REGION, region),
        )
        function = self.aws.hook_setup.functions[FUNCTION]
        function.environment = lambda: _function_environment(next(iter(self.service_urls), NOWHERE))

    def start(self) -> Self:
        self.slack.start()
        self.aws.start()
        return self

    def stop(self) -> None:
        self.aws.stop()
        self.slack.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self, *, database_url: str, port: int = 0) -> dict[str, str]:
        """The contract's environment of one replica of the service, and nothing else."""
        return {
            **self.aws.environment(),
            "DATABASE_URL": database_url,
            "SWITCHGATE_CONFIG": str(self.config_file),
            "SWITCHGATE_HOOK_SECRETS": f"{KID}:{HOOK_SECRET}",
            "SWITCHGATE_LOCALE": self._locale,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            **({"SLACK_APP_TOKEN": APP_TOKEN} if self._socket_mode else {}),
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": self.slack.api_url,
            "HOST": "127.0.0.1",
            "PORT": str(port),
        }

    def lambda_environment(self) -> Mapping[str, str]:
        """The hook Lambda's environment; it forwards to the replicas round robin, as a load balancer does."""
        urls = self.service_urls or [NOWHERE]
        url = urls[next(self._next_replica) % len(urls)]
        return {**self.aws.environment(), **_function_environment(url)}

    def _invoke(self, event: dict[str, str]) -> Any:
        return handle(
            event,
            LambdaContext(self.lambda_seconds, region=self._region),
            env=self.lambda_environment(),
            now=self.lambda_time,
            write=self.hook_log.append,
        )


def _function_environment(url: str) -> dict[str, str]:
    """What is configured for the function."""
    return {
        "SWITCHGATE_URL": url,
        "SWITCHGATE_HOOK_KEY_ID": KID,
        "SWITCHGATE_HOOK_SECRET": HOOK_SECRET,
    }
