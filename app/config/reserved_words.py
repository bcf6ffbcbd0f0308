"""The words of `/deploys`. A domain named like one of them could not be shown or frozen."""

from typing import Final

VERBS: Final = ("freeze", "unfreeze", "freezes", "who", "rules")
CHANGES: Final = ("freeze", "unfreeze")
APPROVE: Final = "approve"
UNDO: Final = "undo"
REJECT: Final = "reject"
WITHDRAW: Final = "withdraw"
HELP: Final = "help"

ALL: Final = "all"
FROM: Final = "from"
UNTIL: Final = "until"
FOR: Final = "for"
STARTS: Final = (FROM, UNTIL, FOR)
"""Between the domains of a freeze and its times."""

FIRST_WORDS: Final = (*VERBS, APPROVE, UNDO, REJECT, WITHDRAW, HELP)
"""Words that `/deploys` accepts in place of a domain."""

RESERVED_WORDS: Final = frozenset((*FIRST_WORDS, ALL, *STARTS))
