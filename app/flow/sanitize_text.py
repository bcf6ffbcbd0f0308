"""Text from outside, as the record can hold it."""


def sanitize_text(text: str) -> str:
    """Without NUL, which Postgres refuses, and halves of characters, which a cut in the middle of an emoji leaves."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
