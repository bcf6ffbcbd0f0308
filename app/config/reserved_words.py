"""The words of `/deploys`. A domain named like one of them could not be shown or frozen."""

from collections.abc import Mapping
from typing import Final

VERBS: Final = ("freeze", "unfreeze", "freezes", "who", "rules")
CHANGES: Final = ("freeze", "unfreeze")
APPROVE: Final = "approve"
UNDO: Final = "undo"
REJECT: Final = "reject"
WITHDRAW: Final = "withdraw"
HELP: Final = "help"
NOTIFY: Final = "notify"
ME: Final = "me"
OFF: Final = "off"
"""After `notify`."""

ALL: Final = "all"
FROM: Final = "from"
UNTIL: Final = "until"
FOR: Final = "for"
STARTS: Final = (FROM, UNTIL, FOR)
"""Between the domains of a freeze and its times."""

FIRST_WORDS: Final = (*VERBS, APPROVE, UNDO, REJECT, WITHDRAW, HELP, NOTIFY)
"""Words that `/deploys` accepts in place of a domain."""

RESERVED_WORDS: Final = frozenset((*FIRST_WORDS, ALL, *STARTS))

LIST: Final = "list"
SYNONYMS: Final[Mapping[str, str]] = {
    LIST: LIST,
    "status": LIST,
    "rollback": UNDO,
    "목록": LIST,
    "상태": LIST,
    "승인": APPROVE,
    "거절": REJECT,
    "철회": WITHDRAW,
    "롤백": UNDO,
    "되돌리기": UNDO,
    "동결": "freeze",
    "해제": "unfreeze",
    "동결해제": "unfreeze",
    "동결목록": "freezes",
    "승인자": "who",
    "규칙": "rules",
    "도움말": HELP,
    "알림": NOTIFY,
}
"""Not reserved: a domain may have such a name, and goes before it."""

PAIRS: Final[Mapping[tuple[str, str], str]] = {
    ("roll", "back"): UNDO,
    ("동결", "해제"): "unfreeze",
    ("동결", "목록"): "freezes",
}
"""Synonyms that may be written as two words."""

ALL_DOMAINS: Final = frozenset((ALL, "전체", "모두"))
