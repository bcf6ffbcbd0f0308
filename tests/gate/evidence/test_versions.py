"""What blue's and green's versions are called."""

import pytest

from app.gate.evidence.revision import Container, Image, Revision
from app.gate.evidence.versions import MAX_VERSION_CHARS, Versions, short_version, versions_of

A, B = "a3" * 32, "b4" * 32


def container(image: str, name: str = "order", *, ports: tuple[str, ...] = ("8020/tcp",)) -> Container:
    return Container(
        name=name, image=Image.parse(image), cpu="", memory="", ports=ports, variables=(), secrets=()
    )


def revision(number: int, *containers: Container) -> Revision:
    return Revision(
        arn=f"arn:aws:ecs:ap-northeast-2:123456789012:task-definition/order:{number}",
        family="order",
        number=number,
        cpu="256",
        memory="512",
        task_role="",
        registered_at=None,
        registered_by="",
        containers=containers,
        tags=(),
    )


SIDECAR = container("envoy:1.28.0", "envoy", ports=())
TABLE = {
    "tags": ("klp/order:1.41.0", "klp/order:1.42.0", "1.41.0", "1.42.0"),
    "tags that may be moved still name the two": ("order:1.41", "order:1.42", "1.41", "1.42"),
    "commits": (f"order:{'4f2a1c9d' * 5}", f"order:{'0b1c2d3e' * 5}", "4f2a1c9", "0b1c2d3"),
    "one tag and two digests": (
        f"order:latest@sha256:{A}",
        f"order:latest@sha256:{B}",
        "a3a3a3a",
        "b4b4b4b",
    ),
    "digests alone": (f"order@sha256:{A}", f"order@sha256:{B}", "a3a3a3a", "b4b4b4b"),
    "a digest, and then a tag": (f"order@sha256:{A}", "order:1.42.0", "a3a3a3a", "1.42.0"),
    "no tag at first": ("order", "order:1.42.0", "rev 41", "rev 42"),
    "the same image": ("order:1.42.0", "order:1.42.0", "rev 41", "rev 42"),
    "another repository, the same tag": ("old/order:1.42.0", "new/order:1.42.0", "rev 41", "rev 42"),
}


@pytest.mark.parametrize(("blue", "green", "before", "after"), TABLE.values(), ids=TABLE.keys())
def test_a_version_is_the_tag_or_digest_or_revision_that_differs(
    blue: str, green: str, before: str, after: str
) -> None:
    found = versions_of(revision(41, container(blue)), revision(42, container(green)))
    assert found == Versions(before=before, after=after)


def test_the_same_revision_has_one_version() -> None:
    same = revision(41, container("order:1.41.0"))
    assert versions_of(same, same) == Versions(before="1.41.0", after="1.41.0")


def test_of_several_images_that_change_the_main_one_is_named_and_the_others_are_counted() -> None:
    blue = revision(41, SIDECAR, container("order:1.41.0"))
    green = revision(42, container("envoy:1.29.0", "envoy", ports=()), container("order:1.42.0"))
    assert versions_of(blue, green) == Versions(before="1.41.0", after="1.42.0", others=1)


def test_an_image_that_changes_beside_the_main_one_is_named_with_its_container() -> None:
    blue = revision(41, SIDECAR, container("order:1.41.0"))
    green = revision(42, container("envoy:1.29.0", "envoy", ports=()), container("order:1.41.0"))
    assert versions_of(blue, green) == Versions(before="1.28.0", after="1.29.0", container="envoy")


def test_a_revision_that_was_not_read_has_no_version() -> None:
    green = revision(42, SIDECAR, container("order:1.42.0"))
    assert versions_of(None, green) == Versions(before=None, after="1.42.0")
    assert versions_of(green, None) == Versions(before="1.42.0", after=None)
    assert versions_of(None, None) == Versions(before=None, after=None)


@pytest.mark.parametrize(
    ("tag", "short"),
    [
        ("1.42.0", "1.42.0"),
        (f"main-{'4f2a1c9d' * 5}", "main-4f2a1c9"),
        ("20261129123456", "20261129123456"),
        ("release-2026.11.29-hotfix-payment", "release-2…ix-payment"),
        ("x" * 128, f"{'x' * 9}…{'x' * 10}"),
    ],
)
def test_a_long_version_is_shortened_in_its_middle(tag: str, short: str) -> None:
    assert short_version(tag) == short
    assert len(short) <= MAX_VERSION_CHARS
