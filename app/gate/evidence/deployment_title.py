"""The title of a deployment: the first line of its description that says something, or its pull request's title."""

import re
from collections.abc import Mapping
from typing import Final

TITLE_TAG: Final = "github-pr-title"
"""The tag of the task definition that holds the title."""

_ACTED: Final = r"(?:deployed|triggered|started|initiated|launched|released|requested|shipped|promoted)"
_SETTING: Final = re.compile(
    rf"(?<!\S)(?:(?:github|gitlab|git|build)[-_.]?[\w.-]*|actor|deployer|{_ACTED}[-_. ]?by|배포자)[ \t]*[=:][ \t]*\S+",
    re.IGNORECASE,
)
_BY: Final = re.compile(rf"{_ACTED}[ \t]+by[ \t]+\S+\.?", re.IGNORECASE)


def deployment_title(description: str, tags: Mapping[str, str]) -> str:
    """Without settings like `github-actor=LOGIN` and who deployed, which a card says elsewhere. Empty: no title."""
    for line in description.splitlines():
        title = " ".join(_SETTING.sub(" ", line).split())
        if any(character.isalnum() for character in title) and not _BY.fullmatch(title):
            return title
    return " ".join(tags.get(TITLE_TAG, "").split())
