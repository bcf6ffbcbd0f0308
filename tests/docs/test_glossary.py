"""The glossary of what people read: the catalogs of Slack and of the sandbox's page, the guides, the API's document and
the command's help.

Code in backticks is left out: commands, action ids and API fields keep their names.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from typer.main import get_command

from app.cli.main import app
from app.i18n.catalog import LOCALES, LocaleName, _catalogs
from app.i18n.templates import Catalog
from app.sandbox.page.texts import page_catalog

ROOT: Final = Path(__file__).resolve().parents[2]
GUIDES: Final = (
    "README.md",
    "docs/user-guide.md",
    "docs/operations.md",
    "docs/configuration.md",
    "docs/permissions.md",
    "switchgate.example.toml",
    "docs/slack-manifest.yaml",
)
ENGLISH: Final = {
    r"\b(take|takes|taken|took|taking)( \w+)? back\b": "roll back; a vote is withdrawn",
    r"\bundo(es|ne|ing|s)?\b": "roll back",
    r"\bserved before\b": "the previous version",
    r"\bpass(es|ed)? at once\b": "automatic; no approval needed",
    r"\blooks? fit\b|\bis fit\b": "is healthy",
    r"\brings?\b|\brang\b|\bringing\b": "firing",
    r"\bis a no\b": "is rejected automatically",
    r"\bmay (decide|not)\b": "approvers; can, cannot",
    r"\b(does|do|is|was|are|were) not count(ed)?\b": "you can't …; not recorded",
    r"\bblue is gone\b|\bend(s|ed|ing)? blue\b": "terminate blue",
    r"\b(gets?|got) through\b": "failed; completed",
    r"\btook the answer\b": "sent to CodeDeploy",
    r"\b(breaks?|broke|breaking) the glass\b": "break glass",
    r"\bset aside\b": "overridden",
    r"\blook at it\b": "check it",
    r"[\d}] %": "a percentage without a space",
}
IN_CATALOGS: Final = {
    r"(?<!all )\bat once\b": "immediately",
    r"\b(I|I'm|[Mm]y)\b": "the product does not speak as I",
    r"^(not yet|not now|keep blue)$": "Cancel",
    r"\bwaits\b": "is waiting",
    r"\bnobody (has )?answer(ed|s)\b": "not approved: one of two may have answered",
    r"\bwas drawn\b": "plain words for what the reader saw",
}
KOREAN: Final = {
    "되돌[리렸립려릴린]": "롤백; 복귀",
    "롤백 취소": "복귀",
    "서비스 중(?!단)": "운영 중",
    "Switchgate 밖": "Switchgate 외부",
    "(^|[ *])(내|내가|제가) ": "주어 없이",
    "(?<!응)답(을|이|은|으로|까지)": "응답, 결과",
    "스스로": "자동",
    "투표|표를": "결정",
    "울리|울림|울린": "발생",
    "그린이 준비": "그린 정상",
    "바로 통과": "승인 없이",
    "결정할 수 있는 사람": "승인자",
    "만든 사람|배포한 사람": "배포자",
    "이유": "사유",
    "끝까지": "실패",
    "아무 일도|아무것도": "하지 않았습니다",
    "아직 아님|지금은 아님": "취소",
    "프로덕션": "운영",
    "몇 분": "수 분",
    r"[\d}] %": "붙여 씀",
    r"[은이을]\([는가를]\)|\(으\)로": "문장 구조를 바꿈",
    r"\}(은|는|이|가|을|를|과|와|로|으로)(?![가-힣])": "문장 구조를 바꿈",
}
FORBIDDEN: Final[Mapping[LocaleName, Mapping[str, str]]] = {"en": {**ENGLISH, **IN_CATALOGS}, "ko": KOREAN}


def found_in(text: str, phrases: Iterable[str]) -> list[str]:
    """The forbidden phrases of a text, apart from what stands in backticks and in code blocks."""
    text = re.sub(r"```.*?```|`[^`]*`", "``", text, flags=re.DOTALL)
    text = re.sub(r"^    .*$", "", text, flags=re.MULTILINE)
    return [match[0] for phrase in phrases for match in re.finditer(phrase, text, _flags(phrase))]


def _flags(phrase: str) -> re.RegexFlag:
    return re.NOFLAG if "(I|" in phrase else re.IGNORECASE


def texts_of(catalog: Catalog) -> Iterator[tuple[str, str]]:
    yield from catalog.singles.items()
    for key, forms in catalog.plurals.items():
        yield from ((f"{key}.{form}", text) for form, text in forms.items())


def catalog_of(name: str, locale: LocaleName) -> Catalog:
    return _catalogs()[locale] if name == "slack" else page_catalog(locale)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(("name", "at_least"), [("slack", 500), ("sandbox page", 100)])
def test_the_catalogs_keep_to_the_glossary(name: str, at_least: int, locale: LocaleName) -> None:
    checked = dict(texts_of(catalog_of(name, locale)))
    assert len(checked) > at_least
    wrong = {key: found_in(text, FORBIDDEN[locale]) for key, text in checked.items()}
    assert {key: found for key, found in wrong.items() if found} == {}


@pytest.mark.parametrize("page", GUIDES)
def test_the_guides_keep_to_the_glossary(page: str) -> None:
    assert found_in((ROOT / page).read_text(encoding="utf-8"), ENGLISH) == []


def test_the_commands_help_keeps_to_the_glossary() -> None:
    helps = list(_helps(get_command(app)))
    assert len(helps) > 20
    assert found_in("\n".join(helps), ENGLISH) == []


def _helps(command: Any) -> Iterator[str]:
    yield command.help or ""
    yield from (help_ for parameter in command.params if (help_ := getattr(parameter, "help", None)))
    for each in getattr(command, "commands", {}).values():
        yield from _helps(each)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "order: rollback, passed at once"),
        ("en", "Green looks fit"),
        ("en", "No answer by the deadline is a no"),
        ("en", "what served before serves again"),
        ("en", "The switch is being taken back"),
        ("en", "CodeDeploy takes it back"),
        ("en", "Undo takes seconds"),
        ("en", "Alarm hub-5xx rings"),
        ("en", "{percent} % on green"),
        ("en", "I do not know this domain"),
        ("en", "my database does not answer"),
        ("en", "Not yet"),
        ("en", "order waits for an answer"),
        ("en", "Who may decide"),
        ("en", "Blue is gone"),
        ("ko", "CodeDeploy가 답을 받았습니다"),
        ("ko", "롤백이 바로 통과되었습니다"),
        ("ko", "{domain}: 되돌리기"),
        ("ko", "울리는 알람 없음"),
        ("ko", "트래픽의 {percent} %"),
        ("ko", "{domain}을(를) 찾을 수 없습니다"),
        ("ko", "{domain}는 동결되었습니다"),
        ("en", "order 1.42.0: expired, nobody answered"),
        ("ko", "블루로 되돌립니다"),
        ("ko", "내 승인 대기 3건"),
    ],
)
def test_a_forbidden_phrase_is_found(locale: LocaleName, text: str) -> None:
    assert found_in(text, FORBIDDEN[locale])


def test_code_is_left_out() -> None:
    assert found_in("Write `/deploys undo order`.", ENGLISH) == []
