"""Doctor: asks the service on this machine whether it refuses Slack's requests (HTTP mode only)."""

from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from app.cli.doctor.findings import Finding, failure
from app.config.environment import Settings

ASK_SECONDS: Final = 2
ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


async def look_at_signatures(settings: Settings) -> list[Finding]:
    """Empty if there is no problem, or if nothing listens on HOST and PORT."""
    url = own_url(settings)
    if settings.slack_app_token is not None or url is None:
        return []
    hint = (await _readiness(f"{url}/readyz")).get("slack_signature")
    if not hint:
        return []
    remedy = "Compare SLACK_SIGNING_SECRET and the clock (NTP), then press again."
    return [failure("Slack's requests", str(hint), remedy)]


def own_url(settings: Settings) -> str | None:
    """Where the service listens on this machine; None: on any free port."""
    if settings.port == 0:
        return None
    return f"http://{ANY_ADDRESS.get(settings.host, settings.host)}:{settings.port}"


async def _readiness(url: str) -> dict[str, Any]:
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=ASK_SECONDS)) as session,
            session.get(url) as answer,
        ):
            body = await answer.json()
    except (ClientError, TimeoutError, ValueError, OSError):
        return {}
    return body if isinstance(body, dict) else {}
