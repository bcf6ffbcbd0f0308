"""The spellings in which descriptions name their deployer, and the words that name nobody."""

from typing import Final

import pytest

from app.gate.described_deployers import described_deployers

STATED: Final = {
    "github-actor=mina-kim": "mina-kim",
    "GITHUB_ACTOR=mina-kim": "mina-kim",
    "github_actor: mina-kim": "mina-kim",
    "github.actor=mina-kim": "mina-kim",
    "githubActor: mina-kim": "mina-kim",
    "GITHUB_TRIGGERING_ACTOR=mina-kim": "mina-kim",
    "CI_ACTOR=mina-kim": "mina-kim",
    "GITLAB_USER_LOGIN=mina-kim": "mina-kim",
    "BUILD_USER_ID=mina-kim": "mina-kim",
    '{"actor": "mina-kim"}': "mina-kim",
    "Actor : @mina-kim, v2": "mina-kim",
    "deployed_by: mina-kim": "mina-kim",
    "Deployed by: mina-kim": "mina-kim",
    "deployedBy=mina-kim": "mina-kim",
    "deployer=mina-kim": "mina-kim",
    "triggered by: mina-kim": "mina-kim",
    "배포자: mina-kim": "mina-kim",
    "pushed by @mina-kim.": "mina-kim",
    "by mina@corp.com": "mina@corp.com",
    "Deployed by mina@corp.com (v2)": "mina@corp.com",
    "by Mina Kim <mina@corp.com>": "mina@corp.com",
    "deployer: <mina@corp.com>": "mina@corp.com",
    "by <@U01MINA>": "<@U01MINA>",
    "by <@U01MINA|mina>": "<@U01MINA>",
    "deployed_by: <@U01MINA>": "<@U01MINA>",
}
POSSIBLE: Final = {
    "Deployed by mina-kim": "mina-kim",
    "released by mina.kim.": "mina.kim",
    "Deployed by GitHub Actions": "GitHub",
    "deployed by hand": "hand",
    "Triggered by the release train": "the",
    "triggered by: push": "push",
    "actor: github-actions[bot]": "github-actions[bot]",
    "by noreply@github.com": "noreply@github.com",
}
NOBODY: Final = [
    "",
    "retry by hand",
    "a factor=2 change",
    "Reviewed-by: jun",
    "author: jun",
    "actor:\nnext line",
]


@pytest.mark.parametrize(("description", "name"), STATED.items(), ids=STATED)
def test_a_person_is_named_in_many_spellings(description: str, name: str) -> None:
    found = described_deployers(description)
    assert found.stated == (name,)
    assert found.shown == name


@pytest.mark.parametrize(("description", "name"), POSSIBLE.items(), ids=POSSIBLE)
def test_a_bare_word_or_a_service_may_be_anything(description: str, name: str) -> None:
    found = described_deployers(description)
    assert (found.stated, found.possible) == ((), (name,))


@pytest.mark.parametrize("description", NOBODY)
def test_others_are_not_named(description: str) -> None:
    found = described_deployers(description)
    assert (found.stated, found.possible, found.shown) == ((), (), None)


@pytest.mark.parametrize(
    "description", ["Deployed by GitHub Actions", "triggered by: push", "Deployed by the team"]
)
def test_what_is_no_person_is_not_shown_as_one(description: str) -> None:
    assert described_deployers(description).shown is None
