"""Which names a check may have."""

import pytest

from app.gate.rules.checks import is_check_name


@pytest.mark.parametrize("name", ["smoke", "order-create smoke", "주문 생성", "x", "x" * 100])
def test_a_name_of_a_check(name: str) -> None:
    assert is_check_name(name)


@pytest.mark.parametrize("name", ["", " ", " smoke", "smoke ", "a/b", "a\nb", "a\x00b", "x" * 101])
def test_not_a_name_of_a_check(name: str) -> None:
    assert not is_check_name(name)
