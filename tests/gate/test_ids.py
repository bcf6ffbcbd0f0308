"""A hook execution id answers CodeDeploy, so it never prints itself."""

from app.gate.ids import ExecutionId

SECRET = "eyJlbmNyeXB0ZWREYXRhIjoi"


def test_an_execution_id_does_not_print_itself() -> None:
    shown = [
        str(ExecutionId(SECRET)),
        repr(ExecutionId(SECRET)),
        f"{ExecutionId(SECRET)}",
        f"{[ExecutionId(SECRET)]}",
    ]
    assert not any(SECRET in text for text in shown)


def test_an_execution_id_is_known_by_its_digest() -> None:
    assert ExecutionId(SECRET).digest() == ExecutionId(SECRET).digest()
    assert ExecutionId(SECRET).digest() != ExecutionId(SECRET + "=").digest()
    assert ExecutionId(SECRET).reveal() == SECRET
