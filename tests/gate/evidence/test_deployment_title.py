"""The line of a description that says what a deployment is about."""

import pytest

from app.gate.evidence.deployment_title import TITLE_TAG, deployment_title

TABLE = {
    "the first line": ("v1.4.2: delivery fee\ngithub-actor=jun-lee", "v1.4.2: delivery fee"),
    "after settings": ("github-actor=jun-lee\ngit-sha: 4f2a1c\nDelivery fee (#12)", "Delivery fee (#12)"),
    "settings within the line": ("v1.4.2 github-actor=jun-lee", "v1.4.2"),
    "who deployed is said elsewhere": ("Deployed by jun-lee\nDelivery fee", "Delivery fee"),
    "an assignment in a title stays": (
        "Set RETRIES=3 for the card network",
        "Set RETRIES=3 for the card network",
    ),
    "signs alone": ("---\n\nDelivery fee", "Delivery fee"),
    "nothing": ("", ""),
    "only settings": ("github-actor=jun-lee", ""),
}


@pytest.mark.parametrize(("description", "title"), TABLE.values(), ids=TABLE.keys())
def test_the_title_is_the_first_line_that_says_something(description: str, title: str) -> None:
    assert deployment_title(description, {}) == title


def test_without_one_it_is_the_title_of_the_pull_request() -> None:
    tags = {TITLE_TAG: " Delivery fee\n(#12) "}
    assert deployment_title("github-actor=jun-lee", tags) == "Delivery fee (#12)"
    assert deployment_title("Hotfix", tags) == "Hotfix"
