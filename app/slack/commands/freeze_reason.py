"""The reason of a freeze, apart from its times: `because …`, `reason: …`, `— …`, in quotes, or in plain words.

Plain words are English or Korean, without digits and without a word that looks like a time.
"""

import re
from typing import Final

from app.slack.commands import time_words as words
from app.slack.commands.time_errors import MayBelongToTime

_QUOTES: Final = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»", "「": "」"}
_BECAUSE: Final = re.compile(r"(?:because(?: of)?(?!\w)|(?:reason|이유|사유) ?[:–—-]) ?", re.IGNORECASE)
_DASH: Final = re.compile(r"(?:[–—-]+|:(?![\w+-]+:)) ?")
"""The colon of an emoji (`:fire:`) separates nothing."""

_FILLERS: Final = frozenset("a an about and around at by for in of on or the then this to".split())  # noqa: SIM905
_NO_TIME: Final = re.compile(
    r"[<>] ?\d+(?:\.\d+)? ?(?:ms|s|%)(?!\w)|<(?:[@#][^>\s]+|!(?:channel|here|everyone|subteam\^[^>\s]+))>",
    re.IGNORECASE,
)
"""Measurements (`latency > 2s`) and mentions."""

_OTHER_CHARACTER: Final = re.compile(r"[^\W_a-z가-힣]", re.IGNORECASE)
"""A digit, or a letter that is neither Latin nor Korean."""

_FIRST_CHARACTER: Final = re.compile(r"[a-z가-힣\u203c-\u3299\U0001f000-\U0001faff]", re.IGNORECASE)
"""A letter or an emoji."""

_SINGLE_LETTER: Final = re.compile(r"[apmzhdwst](?![a-z\d]| ?&)", re.IGNORECASE)
"""Of `a. m.`, a unit, `Z` or `D+1`."""


def read_reason(text: str) -> str:
    """The reason from what follows the times. Raises `MayBelongToTime`."""
    text = text.lstrip(" ,.;")
    because, dash = _BECAUSE.match(text), _DASH.match(text)
    separator = because or dash
    reason = text[separator.end() :] if separator else text
    if separator is None and _unquoted(reason) == reason:
        _refuse_unless_plain(text)
        return text
    content = [word for word in _unquoted(reason).split() if word.lower() not in _FILLERS]
    is_time = bool(content) and all(map(_is_time, content))
    # A dash or a colon may join a second time; `because` and quotes leave no doubt.
    _refuse_if(is_time or (dash is not None and _begins_with_time(" ".join(content[:2]))), text)
    return _unquoted(reason)


def _refuse_unless_plain(text: str) -> None:
    plain = _NO_TIME.sub("", text).strip()
    found = plain.split()
    if found:
        _refuse_if(not _FIRST_CHARACTER.match(plain) or bool(_SINGLE_LETTER.match(plain)), text)
    if _is_unclear(plain):
        # Where no word alone is at fault, two are: `New York`.
        raise MayBelongToTime(next(filter(_is_unclear, found), plain))


def _unquoted(text: str) -> str:
    is_quoted = len(text) > 1 and _QUOTES.get(text[0]) == text[-1]
    return text[1:-1].strip() if is_quoted else text


def _is_unclear(word: str) -> bool:
    return bool(_OTHER_CHARACTER.search(word)) or words.looks_like_time(word)


def _is_time(word: str) -> bool:
    """Of a separated reason; letters before a digit, as in `P1`, are no time."""
    return bool(re.match(r"[\W_]*\d", word)) or words.looks_like_time(word)


def _begins_with_time(text: str) -> bool:
    start = re.sub(r"^[\W_]+", "", text)
    return bool(_OTHER_CHARACTER.match(start) or _SINGLE_LETTER.match(start)) or _is_time(start)


def _refuse_if(unclear: bool, text: str) -> None:
    if unclear:
        raise MayBelongToTime(" ".join(text.split()[:3]))
