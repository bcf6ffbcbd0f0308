"""Names of ours that were replaced by the field's terms do not come back, neither as definitions nor in prose. The
lists grow with each word that is retired everywhere; ARCHITECTURE.md has the glossary of the words that stay."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.docs.documents import pages, prose

ROOT: Final = Path(__file__).parent.parent
RETIRED_WORDS: Final = """
    Admission AGAIN Asking Broken Callers Calm CannotAsk Canvas CardNotDrawn CardVanished carry_out Case Changes
    CheckPresses Circumstances Counted Course Deed deeds DetailsDoor door Doors doors edition Errand Errands Fitness
    fitness foresee Foresight gather_evidence Glass GlassPresses Greeting hands hang_up Happened Herald Holding Homes
    HomeSeen House house Impossible InDoubt Interveners know_deployer lasting LiveRules look_at_sides look_for_evidence
    Loop Manners Mark MOST Neighbour News No Nothing NotOurs Nudge nudge Outlook Owing PartUnread pass_freely Patience
    patience Presses Question Questions Readers RecordAway RESCUERS RETRY rivals room RuleErrands see Several Sight
    SlackCanvas SlackHerald SlackSide SlackThreads Sounding Stage standing_of Standpoint storable Storyteller take_check
    tells thanks tick Ticket Tiding Together told_as_away ToldCheck Trouble turn Turns TwoOwed Undoing unheard Unmet
    What why_not Wish Wrong
"""
RETIRED: Final = frozenset(RETIRED_WORDS.split())

RETIRED_IN_PROSE: Final = re.compile(
    r"\b(calm|canvas|deeds?|doors?|errands?|fitness|foresee|foresight|heralds?|houses?|hears|lasting|manners|neighbours?"
    r"|nudge[sd]?|nudging|owes|patience|rescue[srd]?|rescuers?|rooms?|sights?|soundings?|standing|standpoints?"
    r"|storytellers?|tidings?|tells|unheard|rulebook|br(?:oke|oken|eaks) (?:the )?glass)\b",
    re.IGNORECASE,
)
"""Words of an earlier vocabulary that plain technical English does not need, as a name or as a metaphor."""


def _defined(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case _:
                pass


def test_no_retired_name_is_defined() -> None:
    files = [path for folder in ("app", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 700
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in _defined(ast.parse(path.read_text(encoding="utf-8")))
        if name in RETIRED
    }
    assert found == set()


def test_no_retired_word_is_in_prose() -> None:
    modules = [path for folder in ("app", "tests") for path in (ROOT / folder).rglob("*.py")]
    texts = [(path, line, text) for path in modules for line, text in prose(path)]
    texts += [
        (path, line, text)
        for path in pages()
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]
    assert len(texts) > 4000
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match[0]}"
        for path, line, text in texts
        for match in RETIRED_IN_PROSE.finditer(text)
    ]
    assert found == []
