"""Which image tags name one build permanently, and which move from build to build."""

import re
from typing import Final

# A token is the text between two separators of a tag: `-`, `_` and `.`.
_START: Final = r"(?:^|(?<=[-_.]))"
_END: Final = r"(?=$|[-_.])"

_COMMIT: Final = re.compile(
    rf"""{_START}(?:
        (?:sha|git|commit)[-_.]?[0-9a-f]{{7,64}}        # sha-9f3c2ab
        | [0-9a-f]{{40}} | [0-9a-f]{{64}}               # a whole commit hash, an asset's hash
        | g?(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{{7,64}}  # main-9f3c2ab, 1.4-12-g9f3c2ab
    ){_END}""",
    re.VERBOSE,
)
_TIME: Final = re.compile(
    rf"{_START}(?:\d{{9,}}|20\d\d[-_.]?[01]\d[-_.]?[0-3]\d[-_.tT]?\d+(?:[-_.tTzZ]?\d+)*[zZ]?){_END}"
)
_BUILD: Final = re.compile(
    rf"{_START}(?:build|bld|run|job|pipeline|ci|main|master|trunk)[-_.]?\d+{_END}", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"(?!(?:19|20)\d\d$|20\d{6}$)\d{3,}")
_VERSION: Final = re.compile(r"(?:^|[-_]|(?<=[a-z])(?<!\d))v?\d+\.\d+\.\d+(?![0-9])", re.IGNORECASE)
_MOVED: Final = re.compile(
    rf"{_START}(?:latest|snapshot|nightly|edge|dev|head|main|master){_END}(?![-_.]?\d)", re.IGNORECASE
)


def names_one_build(tag: str) -> bool:
    """Whether the tag is made for one build and not moved to the next.

    It holds
    - a commit: 7 to 64 hexadecimal digits with both a letter and a figure, or any after `sha-`, `git-` or `commit-`;
    - a time: a date with a time of day or a counter behind it, or at least nine figures;
    - a build's number: behind `build`, `run`, `job`, `pipeline`, `ci` or the name of the trunk, or alone with at least
      three figures, if it is no year and no date;
    - or a full version `x.y.z`, unless `SNAPSHOT`, `latest` and the like stand behind it.

    Everything else may be moved: `latest-arm64`, `v1`, `20-alpine`, `1.27`, `prod2`, `pr-12`, `ABC-1234`, a day alone.
    """
    if _COMMIT.search(tag) or _TIME.search(tag) or _BUILD.search(tag) or _NUMBER.fullmatch(tag):
        return True
    return _VERSION.search(tag) is not None and _MOVED.search(tag) is None
