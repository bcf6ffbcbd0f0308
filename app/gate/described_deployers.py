"""The people whom a deployment's description names as its deployers, in the spellings that pipelines use."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_ACTED: Final = "deployed|triggered|started|initiated|launched|released|requested|shipped|promoted"
_START: Final = r"(?<![^\W_])"
_MENTION: Final = r"<@(?P<id>[UW][A-Z0-9]{2,20})(?:\|[^<>\n]*)?>"
_MAIL: Final = r"(?P<mail>[\w.%+-]+@[\w-]+(?:\.[\w-]+)+)"
_LOGIN: Final = r"(?P<login>[^\W_][\w.+-]*(?:\[bot\])?)"
_KEY: Final = rf"""(?:
    (?:github[-_. ]?)?(?:triggering[-_. ]?)?actor | deployer | (?:{_ACTED})[-_. ]?by
    | gitlab_user_(?:login|email) | build_user(?:_id|_email)? | 배포자
)"""

_BY_KEY: Final = re.compile(
    rf"""{_START}{_KEY}["'\]]?[ \t]*(?:=>|[:=])[ \t]*["']?(?:{_MENTION}|<?{_MAIL}>?|@?{_LOGIN})""",
    re.IGNORECASE | re.VERBOSE,
)
_BY_PERSON: Final = re.compile(rf"\bby\s+(?:{_MENTION}|{_MAIL}|@{_LOGIN})", re.IGNORECASE)
_BY_FULL_NAME: Final = re.compile(rf"\bby[ \t]+(?:[^\s<>@]+[ \t]+){{1,4}}<{_MAIL}>", re.IGNORECASE)
_BY_WORD: Final = re.compile(rf"{_START}(?:{_ACTED})[ \t]+by[ \t]+{_LOGIN}(?!@)\b", re.IGNORECASE)

_SERVICES: Final = frozenset(
    {"actions", "argocd", "automation", "bitbucket", "buildkite", "cd", "ci", "circleci", "cloudformation"}
    | {"codebuild", "codepipeline", "cron", "github", "github-actions", "github_actions", "githubactions"}
    | {"gitlab", "gitlab-ci", "jenkins", "pipeline", "root", "scheduler", "spinnaker", "system", "teamcity"}
    | {"terraform", "user"}
    | {"api", "dispatch", "hand", "manual", "merge", "pull_request", "push", "release", "repository_dispatch"}
    | {"schedule", "tag", "web", "workflow_dispatch"}
    | {"a", "an", "our", "the"}
)
"""Words in the position of a name that name no person: a service, an event, or the beginning of a sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribedDeployers:
    """Each name once, in the order of the text.

    `stated`: clearly meant as a person. `possible`: a bare word, or a service; it says something only where it is the
    name of an account.
    """

    stated: tuple[str, ...]
    possible: tuple[str, ...]

    @property
    def shown(self) -> str | None:
        """The name to show where no account is known."""
        return next((name for name in (*self.stated, *self.possible) if not is_service(name)), None)


def described_deployers(description: str) -> DescribedDeployers:
    """Who deployed, by `GITHUB_ACTOR=LOGIN`, `deployed_by: LOGIN`, `by @LOGIN`, `by MAIL`, `Deployed by LOGIN`.

    A mention in Slack's own form keeps that form (`<@U01KIM>`).
    """
    stated = list(_names(description, _BY_KEY, _BY_PERSON, _BY_FULL_NAME))
    words = _names(description, _BY_WORD)
    possible = [*(name for name in stated if is_service(name)), *words]
    return DescribedDeployers(
        stated=tuple(dict.fromkeys(name for name in stated if not is_service(name))),
        possible=tuple(dict.fromkeys(name for name in possible if name not in stated or is_service(name))),
    )


def is_service(name: str) -> bool:
    """Whether the name is evidently not a person's."""
    folded = name.casefold()
    return folded in _SERVICES or folded.endswith("[bot]") or re.match(r"no-?reply@", folded) is not None


def _names(description: str, *patterns: re.Pattern[str]) -> Iterator[str]:
    for pattern in patterns:
        for found in pattern.finditer(description):
            parts = found.groupdict()
            yield (
                f"<@{parts['id'].upper()}>"
                if parts.get("id")
                else (parts.get("mail") or parts["login"]).rstrip(".,")
            )
