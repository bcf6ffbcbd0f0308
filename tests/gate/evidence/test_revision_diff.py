"""Differences between blue and green: every kind, and no value that may be secret is ever shown."""

import pytest

from app.gate.evidence.model import Missing, MissingReason, Tasks
from app.gate.evidence.revision import Image
from app.gate.evidence.revision_diff import Change, ChangedPart, ChangeKind, diff
from tests.gate.seen import ECR, container, evidence, reading, side

ORDER = container()
IMAGE = "klp/order"


def told(change: Change) -> tuple[str, ...]:
    """The change in short: part, kind, name and, if they are shown, both values."""
    values = [value for value in (change.before, change.after) if value is not None]
    return (change.part, change.kind, change.name, *values)


DIFFERENCES = {
    "another tag": (
        reading(41),
        reading(42, container(image=f"{ECR}/klp/order:2.4.1")),
        [("image", "changed", IMAGE, "2.3.0", "2.4.1")],
    ),
    "another digest under the same tag": (
        reading(41, container(image=f"{ECR}/klp/order:2@sha256:{'a' * 64}")),
        reading(42, container(image=f"{ECR}/klp/order:2@sha256:{'b' * 64}")),
        [("image", "changed", IMAGE, f"2@sha256:{'a' * 64}", f"2@sha256:{'b' * 64}")],
    ),
    "another repository": (
        reading(41),
        reading(42, container(image="ghcr.io/klp/order:2.3.0")),
        [("image", "changed", IMAGE, f"{ECR}/klp/order:2.3.0", "ghcr.io/klp/order:2.3.0")],
    ),
    "more CPU, less memory": (
        reading(41),
        reading(42, cpu="1024", memory="512"),
        [("cpu", "changed", "cpu", "512", "1024"), ("memory", "changed", "memory", "1024", "512")],
    ),
    "a container's own limits": (
        reading(41),
        reading(42, container(memory="256")),
        [("memory", "added", "memory", "256")],
    ),
    "another task role": (
        reading(41),
        reading(42, task_role="admin"),
        [("role", "changed", "taskRole", "order-task", "admin")],
    ),
    "no task role any more": (
        reading(41),
        reading(42, task_role=""),
        [("role", "removed", "taskRole", "order-task")],
    ),
    "a command, whatever it says": (
        reading(
            41, digests={("order", "command", "command"): "one", ("order", "command", "entryPoint"): "x"}
        ),
        reading(
            42, digests={("order", "command", "command"): "two", ("order", "command", "entryPoint"): "y"}
        ),
        [("command", "changed", "command"), ("command", "changed", "entryPoint")],
    ),
    "a port more": (
        reading(41),
        reading(42, container(ports=("8020/tcp", "9090/tcp"))),
        [("ports", "changed", "ports", "8020/tcp", "8020/tcp, 9090/tcp")],
    ),
    "a variable and a secret come, others go": (
        reading(41),
        reading(42, container(variables=("NEW_FLAG",), secrets=("DB_PASSWORD",))),
        [
            ("variable", "added", "NEW_FLAG"),
            ("variable", "removed", "LOG_LEVEL"),
            ("secret", "added", "DB_PASSWORD"),
            ("secret", "removed", "DB_URL"),
        ],
    ),
    "the value of a variable": (
        reading(41, ORDER, digests={("order", "variable", "LOG_LEVEL"): "info"}),
        reading(42, ORDER, digests={("order", "variable", "LOG_LEVEL"): "debug"}),
        [("variable", "changed", "LOG_LEVEL")],
    ),
    "where a secret comes from": (
        reading(41, ORDER, digests={("order", "secret", "DB_URL"): "arn:one"}),
        reading(42, ORDER, digests={("order", "secret", "DB_URL"): "arn:two"}),
        [("secret", "changed", "DB_URL")],
    ),
    "something that nobody lists": (
        reading(41, ORDER, digests={("order", "other", "healthCheck"): "one", ("", "other", "volumes"): "v"}),
        reading(42, ORDER, digests={("order", "other", "healthCheck"): "two"}),
        [("other", "changed", "volumes"), ("other", "changed", "healthCheck")],
    ),
    "a sidecar comes, and brings no flood of its parts": (
        reading(41, ORDER),
        reading(
            42,
            ORDER,
            container("envoy"),
            digests={("envoy", "variable", "X"): "1", ("envoy", "other", "healthCheck"): "1"},
        ),
        [("container", "added", "envoy")],
    ),
    "the image is told first": (
        reading(41),
        reading(42, container(image=f"{ECR}/klp/order:3"), cpu="1", task_role="r"),
        [
            ("image", "changed", IMAGE, "2.3.0", "3"),
            ("cpu", "changed", "cpu", "512", "1"),
            ("role", "changed", "taskRole", "order-task", "r"),
        ],
    ),
    "nothing, though it is another revision": (reading(41), reading(42), []),
    "nothing, with digests that are equal": (
        reading(41, ORDER, digests={("order", "variable", "LOG_LEVEL"): "info"}),
        reading(42, ORDER, digests={("order", "variable", "LOG_LEVEL"): "info"}),
        [],
    ),
}


@pytest.mark.parametrize(("blue", "green", "expected"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_the_diff_shows(blue: object, green: object, expected: list[tuple[str, ...]]) -> None:
    assert [told(change) for change in diff(blue, green)] == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "part", [ChangedPart.VARIABLE, ChangedPart.SECRET, ChangedPart.COMMAND, ChangedPart.OTHER]
)
def test_a_change_of_what_may_be_secret_cannot_hold_a_value(part: ChangedPart) -> None:
    with pytest.raises(ValueError, match="never tells its value"):
        Change(part=part, kind=ChangeKind.CHANGED, name="DB_PASSWORD", after="hunter2")


def test_a_reading_does_not_print_its_digests() -> None:
    one = reading(41, ORDER, digests={("order", "variable", "LOG_LEVEL"): "hunter2"})
    assert "hunter2" not in repr(one)
    assert repr(one) == "Reading(order:41)"


def test_another_number_of_tasks_is_a_difference_too() -> None:
    seen = evidence(green=side(tasks=Tasks(desired=4, running=4, pending=0, steady=True)))
    assert isinstance(seen.differences, tuple)
    assert [told(change) for change in seen.differences] == [
        ("tasks", "changed", "desiredCount", "2", "4"),
    ]


def test_unknown_changes_stay_unknown_whatever_the_number_of_tasks() -> None:
    denied = Missing(reason=MissingReason.DENIED)
    assert evidence(changes=denied).differences == denied
    assert evidence(green=side(tasks=denied)).differences == ()


IMAGES = {
    "nginx": ("nginx", "nginx", "latest", True),
    "nginx:1.27": ("nginx", "nginx", "1.27", True),
    "klp/order:latest": ("klp/order", "klp/order", "latest", True),
    "localhost:5000/order": ("localhost:5000/order", "order", "latest", True),
    "registry:5000/a/b:7": ("registry:5000/a/b", "a/b", "7", True),
    f"{ECR}/klp/order:2.4.1": (f"{ECR}/klp/order", "klp/order", "2.4.1", False),
    f"{ECR}/shop@sha256:{'0a' * 32}": (f"{ECR}/shop", "shop", f"sha256:{'0a' * 32}", False),
    f"shop:latest@sha256:{'0a' * 32}": ("shop", "shop", f"latest@sha256:{'0a' * 32}", False),
    "shop:stable": ("shop", "shop", "stable", True),
    "shop:9f3c2ab": ("shop", "shop", "9f3c2ab", False),
    "": ("", "", "latest", True),
}


@pytest.mark.parametrize(("name", "parts"), IMAGES.items(), ids=IMAGES)
def test_an_image_is_taken_apart(name: str, parts: tuple[str, str, str, bool]) -> None:
    image = Image.parse(name)
    assert (image.repository, image.path, image.version, image.moves) == parts
