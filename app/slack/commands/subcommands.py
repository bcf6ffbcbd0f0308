"""Which subcommand of `/deploys` is meant: in English or Korean, before or behind the domains."""

from collections.abc import Callable, Sequence

from app.config.reserved_words import ALL_DOMAINS, FIRST_WORDS, PAIRS, SYNONYMS
from app.gate.ids import DomainName
from app.slack.text.suggestions import named_domains


def read_subcommand(
    words: Sequence[str], *, is_domain: Callable[[DomainName], bool]
) -> tuple[str, Sequence[str]]:
    """The subcommand by its own word, and its arguments. Empty where none is named.

    A domain may have the name of a synonym, and goes before it. Korean puts the verb behind its object: `order 롤백`.
    """
    if words and words[0].lower() in FIRST_WORDS:
        return words[0].lower(), words[1:]
    for place in range(len(words)):
        subcommand, length = _synonym(words[place : place + 2])
        names = named_domains(words[place : place + 1])
        are_domains = all(name in ALL_DOMAINS or is_domain(name) for name in names)
        if subcommand and not are_domains:
            return subcommand, [*words[:place], *words[place + length :]]
        if not are_domains:
            break
    return "", words


def _synonym(words: Sequence[str]) -> tuple[str, int]:
    """What the first word or the first two stand for, and how many they are."""
    first, *second = (word.lower() for word in words)
    pair = PAIRS.get((first, second[0])) if second else None
    return (pair, 2) if pair else (SYNONYMS.get(first, ""), 1)
