"""The app's tokens and secrets, and what they allow."""

from collections.abc import Iterable
from typing import Final, Literal

from app.sandbox.slack.errors import SlackError
from app.sandbox.slack.state.shapes import Channel

BOT_TOKEN: Final = "xoxb-sandbox"
APP_TOKEN: Final = "xapp-sandbox"
SIGNING_SECRET: Final = "sandbox-signing-secret"
DEFAULT_SCOPES: Final = (
    "chat:write",
    "commands",
    "users:read",
    "usergroups:read",
    "channels:history",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
)
"""Those of the manifest."""

NEEDED: Final = {
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "users.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.history": ("channels:history", "groups:history", "im:history"),
    "conversations.replies": ("channels:history", "groups:history", "im:history"),
}
"""Any one of them is enough. https://docs.slack.dev/reference/scopes."""


class Credentials:
    """May be changed while the stand-in runs: a rotated token, a scope taken away."""

    def __init__(
        self,
        *,
        bot_token: str = BOT_TOKEN,
        app_token: str = APP_TOKEN,
        signing_secret: str = SIGNING_SECRET,
        scopes: Iterable[str] = DEFAULT_SCOPES,
    ) -> None:
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.scopes = set(scopes)
        self.enterprise: str | None = None
        """The Enterprise Grid that the workspace belongs to."""
        self.org_wide = False
        """The bot token is of an installation on the whole Grid, so some methods need `team_id`."""
        self.verification_token = "sandbox-verification-token"
        """The deprecated `token` of every payload."""

    def admit(self, method: str, token: str | None) -> None:
        """Raises `not_authed`, `invalid_auth`, `not_allowed_token_type` and `missing_scope`."""
        if not token:
            raise SlackError("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise SlackError("invalid_auth")
        wants_app = method == "apps.connections.open"
        if wants_app != (token == self.app_token):
            raise SlackError("not_allowed_token_type")
        needed = NEEDED.get(method, ())
        if needed and not self.scopes.intersection(needed):
            raise SlackError("missing_scope", needed=needed[0], provided=",".join(sorted(self.scopes)))

    def admit_channel(self, channel: Channel, *, to: Literal["read", "history"]) -> None:
        """Each kind of channel has a scope of its own. Raises `missing_scope`."""
        kind = "im" if channel.is_im else "groups" if channel.is_private else "channels"
        needed = f"{kind}:{to}"
        if needed not in self.scopes:
            raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))

    def scope_headers(self, method: str) -> dict[str, str]:
        return {
            "X-OAuth-Scopes": ",".join(sorted(self.scopes)),
            "X-Accepted-OAuth-Scopes": ",".join(NEEDED.get(method, ())),
        }
