"""Slack's errors."""

from typing import Any


class SlackError(Exception):
    """Answered as `{"ok": false, "error": code}`, with `more` beside it; HTTP 200 unless it says otherwise."""

    def __init__(
        self, code: str, *, status: int = 200, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.headers = headers or {}
        self.more = more

    @property
    def body(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, **self.more}


def invalid_blocks(code: str, problems: list[str]) -> SlackError:
    """Problems are reported twice: in `errors`, and as `response_metadata.messages` with pointers."""
    plain = [problem.removeprefix("[ERROR] ") for problem in problems]
    return SlackError(code, errors=plain, response_metadata={"messages": problems})


def ratelimited(retry_after: int) -> SlackError:
    """Seconds, whole: https://docs.slack.dev/apis/web-api/rate-limits."""
    return SlackError("ratelimited", status=429, headers={"Retry-After": str(retry_after)})


class NotInWorkspace(LookupError):
    """The workspace has no such person, channel, message, button or view."""
