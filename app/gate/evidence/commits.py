"""Which commit a revision was built from, according to tags, image tags and descriptions; and links to it.

These come from outside: a link is only built from parts that have GitHub's form.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.gate.deployer import named_deployer
from app.gate.evidence.revision import Image

GITHUB: Final = "https://github.com"

_OWNER: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})"
_NAME: Final = r"[A-Za-z0-9._-]{1,100}"
_REPO: Final = re.compile(
    rf"(?:https://github\.com/|git@github\.com:|github\.com/)?(?P<repo>{_OWNER}/{_NAME}?)(?:\.git)?/?"
)
_URL: Final = re.compile(
    rf"https://github\.com/(?P<repo>{_OWNER}/{_NAME})"
    r"(?:/(?:commit|tree)/(?P<sha>[0-9a-f]{7,40})\b|/compare/[\w./-]+?\.\.\.?(?P<new>[0-9a-f]{7,40})\b"
    r"|/actions/runs/(?P<run>[0-9]{1,20})\b)"
)
_AT: Final = re.compile(rf"(?<![\w./-])(?P<repo>{_OWNER}/{_NAME})@(?P<sha>[0-9a-f]{{7,40}})\b")
_NAMED_SHA: Final = re.compile(
    r"\b(?:git|sha|commit|rev(?:ision)?)[-:= ]+(?P<sha>[0-9a-f]{6,40})\b", re.IGNORECASE
)
_BARE_SHA: Final = re.compile(r"(?<![\w./@-])(?P<sha>[0-9a-f]{7,40})(?![\w./-])")
_SHA: Final = re.compile(r"[0-9a-f]{6,40}")
_IMAGE_SHA: Final = re.compile(r"(?:.*[-_.])?(?:git|sha)?-?(?P<sha>[0-9a-f]{7,40})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where one revision came from: GitHub's `owner/name`, a commit, an Actions run, a login."""

    repo: str | None = None
    sha: str | None = None
    run: str | None = None
    actor: str | None = None

    def or_else(self, other: "Origin") -> "Origin":
        """This source, with missing parts taken from `other`."""
        return Origin(
            repo=self.repo or other.repo,
            sha=self.sha or other.sha,
            run=self.run or other.run,
            actor=self.actor or other.actor,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Commits:
    """From which commit to which. `repo` is green's."""

    repo: str | None = None
    old: str | None = None
    new: str | None = None
    run: str | None = None
    actor: str | None = None

    @property
    def compare_url(self) -> str | None:
        """All commits between blue and green; green's alone where blue's is unknown."""
        if self.repo is None or self.new is None:
            return None
        if self.old is None or self.old == self.new:
            return f"{GITHUB}/{self.repo}/commit/{self.new}"
        return f"{GITHUB}/{self.repo}/compare/{self.old}...{self.new}"

    @property
    def run_url(self) -> str | None:
        """The Actions run that built or deployed green."""
        return f"{GITHUB}/{self.repo}/actions/runs/{self.run}" if self.repo and self.run else None


def origin_of(tags: Mapping[str, str], images: Iterable[Image]) -> Origin:
    """The source named by the tags `git-sha`, `git-repo`, `github-run` and `github-actor`; else by an image tag
    that is a commit."""
    run = tags.get("github-run", "").strip()
    url = _URL.fullmatch(run)
    tagged = Origin(
        repo=repo_of(tags.get("git-repo", "")),
        sha=_sha(tags.get("git-sha", "")),
        run=run if re.fullmatch(r"[0-9]{1,20}", run) else url["run"] if url else None,
        actor=tags.get("github-actor", "").strip() or None,
    )
    shas = {sha for image in images if (sha := _image_sha(image)) is not None}
    # Several containers may be built from different commits: then no image identifies the revision.
    return tagged.or_else(
        Origin(repo=url["repo"] if url else None, sha=shas.pop() if len(shas) == 1 else None)
    )


def origin_in_description(description: str) -> Origin:
    """The source in a deployment's description: `owner/repo@sha`, GitHub links, `git 4f2a1c`, a bare commit."""
    repo = sha = run = None
    for url in _URL.finditer(description):
        repo, sha, run = repo or url["repo"], sha or url["sha"] or url["new"], run or url["run"]
    rest = _URL.sub(" ", description)
    at = _AT.search(rest)
    if at is not None and repo_of(at["repo"]):
        repo, sha = repo or at["repo"], sha or at["sha"]
    named = _NAMED_SHA.search(rest)
    sha = sha or (named["sha"].lower() if named else None) or _bare_sha(rest)
    return Origin(repo=repo_of(repo or ""), sha=sha, run=run, actor=named_deployer(description))


def commits_between(blue: Origin, green: Origin) -> Commits:
    """The comparison of blue's and green's commits; None across repositories."""
    apart = blue.repo is not None and green.repo is not None and blue.repo.lower() != green.repo.lower()
    return Commits(
        repo=green.repo,
        old=None if apart else blue.sha,
        new=green.sha,
        run=green.run,
        actor=green.actor,
    )


def repo_of(text: str) -> str | None:
    """`owner/name` out of a name or an address of GitHub; None: it is neither."""
    found = _REPO.fullmatch(text.strip())
    if found is None or found["repo"].rpartition("/")[2] in {".", ".."}:
        return None
    return found["repo"]


def _sha(text: str) -> str | None:
    text = text.strip().lower()
    return text if _SHA.fullmatch(text) else None


def _image_sha(image: Image) -> str | None:
    found = _IMAGE_SHA.fullmatch(image.tag or "")
    return found["sha"] if found and _looks_random(found["sha"]) else None


def _bare_sha(text: str) -> str | None:
    return next((found["sha"] for found in _BARE_SHA.finditer(text) if _looks_random(found["sha"])), None)


def _looks_random(sha: str) -> bool:
    """A date or a build number has no letters, and a word has no digits."""
    return len(sha) == 40 or (any(c.isdigit() for c in sha) and any(c.isalpha() for c in sha))
