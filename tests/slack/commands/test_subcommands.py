"""Which subcommand is meant, in either language."""

import pytest

from app.slack.commands.subcommands import read_subcommand

DOMAINS = {"order", "payment", "status"}


@pytest.mark.parametrize(
    ("text", "subcommand", "arguments"),
    [
        ("", "", ""),
        ("order", "", "order"),
        ("list", "list", ""),
        ("List order", "list", "order"),
        ("rollback order", "undo", "order"),
        ("Roll back order", "undo", "order"),
        ("undo order", "undo", "order"),
        ("status", "", "status"),
        ("목록", "list", ""),
        ("상태 order", "list", "order"),
        ("롤백 order", "undo", "order"),
        ("되돌리기 order", "undo", "order"),
        ("승인 order payment", "approve", "order payment"),
        ("거절 order", "reject", "order"),
        ("철회 order", "withdraw", "order"),
        ("동결 order 18:00까지 장애", "freeze", "order 18:00까지 장애"),
        ("해제 order", "unfreeze", "order"),
        ("동결 해제 order", "unfreeze", "order"),
        ("동결 목록", "freezes", ""),
        ("동결목록 order", "freezes", "order"),
        ("승인자 order", "who", "order"),
        ("규칙 order", "rules", "order"),
        ("도움말", "help", ""),
        ("order 롤백", "undo", "order"),
        ("order, payment 승인", "approve", "order, payment"),
        ("order 동결 2시간 장애", "freeze", "order 2시간 장애"),
        ("order 동결 해제", "unfreeze", "order"),
        ("전체 해제", "unfreeze", "전체"),
        ("all 동결 1시간 점검", "freeze", "all 1시간 점검"),
        ("order rollback", "undo", "order"),
        ("ordr 롤백", "", "ordr 롤백"),
        ("order history", "", "order history"),
    ],
)
def test_a_subcommand_is_read_in_english_and_korean(text: str, subcommand: str, arguments: str) -> None:
    read = read_subcommand(text.split(), is_domain=DOMAINS.__contains__)
    assert (read[0], " ".join(read[1])) == (subcommand, arguments)
