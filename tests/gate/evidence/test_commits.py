"""Which commit, and links to it: whatever the words from outside are, a link is GitHub's or there is none."""

import pytest

from app.gate.evidence.commits import (
    Commits,
    Origin,
    commits_between,
    origin_in_description,
    origin_of,
    repo_of,
)
from app.gate.evidence.revision import Image

SHA = "4f2a1c9e8b7d6a5f4e3d2c1b0a9f8e7d6c5b4a39"
SHORT = SHA[:7]

DESCRIPTIONS = {
    "git 4f2a1c": Origin(sha="4f2a1c"),
    f"git {SHORT} by @octocat": Origin(sha=SHORT, actor="octocat"),
    f"commit: {SHA}": Origin(sha=SHA),
    f"klp/order@{SHORT}": Origin(repo="klp/order", sha=SHORT),
    f"Deploys klp/order@{SHA}, github-actor=mina-kim": Origin(repo="klp/order", sha=SHA, actor="mina-kim"),
    f"https://github.com/klp/order/commit/{SHA}": Origin(repo="klp/order", sha=SHA),
    f"see https://github.com/klp/order/actions/runs/991 ({SHORT})": Origin(
        repo="klp/order", sha=SHORT, run="991"
    ),
    f"https://github.com/klp/order/compare/v1.2...{SHORT}": Origin(repo="klp/order", sha=SHORT),
    f"order {SHORT} to production": Origin(sha=SHORT),
    "": Origin(),
    "Deploys the new checkout": Origin(),
    "release 20261124 build 1234567": Origin(),
    "the facade decade": Origin(),
    f"https://evil.example/klp/order/commit/{SHA}": Origin(),
    "https://github.com.evil.example/a/b/actions/runs/1": Origin(),
    "order@1234567 <!channel>": Origin(),
}


@pytest.mark.parametrize(("description", "expected"), DESCRIPTIONS.items(), ids=range(len(DESCRIPTIONS)))
def test_a_description_names_its_source(description: str, expected: Origin) -> None:
    assert origin_in_description(description) == expected


TAGS: list[tuple[dict[str, str], str, Origin]] = [
    ({"git-sha": SHA, "git-repo": "klp/order"}, "order:1", Origin(repo="klp/order", sha=SHA)),
    ({"git-repo": "https://github.com/klp/order.git"}, "order:1", Origin(repo="klp/order")),
    ({"git-repo": "git@github.com:klp/order.git"}, "order:1", Origin(repo="klp/order")),
    ({"github-run": "991", "github-actor": "mina-kim"}, "order:1", Origin(run="991", actor="mina-kim")),
    (
        {"github-run": "https://github.com/klp/order/actions/runs/991"},
        "order:1",
        Origin(repo="klp/order", run="991"),
    ),
    ({}, f"order:{SHORT}", Origin(sha=SHORT)),
    ({}, f"order:main-{SHORT}", Origin(sha=SHORT)),
    ({}, f"order:sha-{SHA}", Origin(sha=SHA)),
    ({"git-sha": SHA}, "order:abc1234", Origin(sha=SHA)),
    ({}, "order:2.4.1", Origin()),
    ({}, "order:20261124", Origin()),
    ({"git-sha": "not a commit", "git-repo": "https://evil.example/a/b"}, "order:latest", Origin()),
    ({"git-repo": "a/b|<!channel>"}, "order:1", Origin()),
    ({"github-run": "1;drop"}, "order:1", Origin()),
]


@pytest.mark.parametrize(("tags", "image", "expected"), TAGS, ids=range(len(TAGS)))
def test_tags_and_an_image_tag_tell(tags: dict[str, str], image: str, expected: Origin) -> None:
    assert origin_of(tags, [Image.parse(image)]) == expected


def test_images_of_different_commits_speak_for_none() -> None:
    images = [Image.parse("order:4f2a1c9"), Image.parse("envoy:1b2c3d4")]
    assert origin_of({}, images) == Origin()


def test_both_sides_make_a_comparison() -> None:
    commits = commits_between(Origin(sha="aaa1111"), Origin(repo="klp/order", sha="bbb2222", run="991"))
    assert commits.compare_url == "https://github.com/klp/order/compare/aaa1111...bbb2222"
    assert commits.run_url == "https://github.com/klp/order/actions/runs/991"


@pytest.mark.parametrize(
    ("commits", "compare", "run"),
    [
        (Commits(), None, None),
        (Commits(new="bbb2222"), None, None),
        (Commits(repo="klp/order"), None, None),
        (Commits(repo="klp/order", new="bbb2222"), "https://github.com/klp/order/commit/bbb2222", None),
        (
            Commits(repo="klp/order", old="bbb2222", new="bbb2222"),
            "https://github.com/klp/order/commit/bbb2222",
            None,
        ),
        (Commits(run="991"), None, None),
    ],
)
def test_a_link_needs_all_its_parts(commits: Commits, compare: str | None, run: str | None) -> None:
    assert (commits.compare_url, commits.run_url) == (compare, run)


def test_a_commit_of_another_repository_is_not_compared() -> None:
    commits = commits_between(Origin(repo="klp/old", sha="aaa1111"), Origin(repo="klp/order", sha="bbb2222"))
    assert commits.compare_url == "https://github.com/klp/order/commit/bbb2222"


@pytest.mark.parametrize(
    "text",
    ["", "order", "a/b/c", "-a/b", "a/..", "a/.", "http://github.com/a/b", "a b/c", "a/b?x=1", "a/b\n"],
)
def test_no_repository_is_guessed(text: str) -> None:
    expected = "a/b" if text == "a/b\n" else None
    assert repo_of(text) == expected
