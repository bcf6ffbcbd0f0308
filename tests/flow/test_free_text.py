"""What counts as a reason."""

import pytest

from app.flow.free_text import has_content


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "\n\t",
        "\u200b\u200c\u200d\ufeff",
        "\u3164",
        "\uffa0\u115f\u1160",
        "\u2800",
        "\u00a0\u2003",
        "\u202e",
    ]
    + ["...", "…", "-", "—", "___", ". . .", "。", "''", "\x00\x07", "\U000e0041", "\ufe0f", "\u0301"],
)
def test_fillers_say_nothing(text: str) -> None:
    assert not has_content(text)


@pytest.mark.parametrize(
    "text", ["x", "장애", "ㅇ", "5", "👍", "+1", "5%", "?!", "&", "㈜", "- a", "\u3164a"]
)
def test_a_letter_a_digit_or_a_pictograph_says_something(text: str) -> None:
    assert has_content(text)
