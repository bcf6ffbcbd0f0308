"""An image's tag or digest is never cut off, wherever the image is shown; its registry and folders may be."""

from typing import Any, Final

import pytest

from app.gate.evidence.model import Evidence
from app.gate.evidence.revision_diff import Change, ChangedPart, ChangeKind, diff
from app.i18n.catalog import LOCALES, LocaleName, Texts
from app.sandbox.people import OLU
from app.sandbox.slack.blocks.validate import message_problems, view_problems
from app.slack.blocks import section
from app.slack.cards.changes import changes_text
from app.slack.home.gate_summary import MAX_GATE_CHARS, evidence_lines, within_limit
from app.slack.modals.details import details_modal
from app.slack.text.changes import change_lines
from tests.gate.seen import container, evidence, reading, revision, side
from tests.harness import Harness, texts_in
from tests.slack.modals.test_details import view_of

ECR: Final = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"
SHA: Final = "4f2a1c9" + "0b" * 16 + "e"
DIGEST: Final = f"sha256:{'0a1b' * 16}"
MOVES: Final[dict[str, tuple[str, str]]] = {
    "to ECR": (
        "docker.io/acme/commerce-order-service:1.41.0",
        f"{ECR}/acme/commerce-order-service:1.42.0",
    ),
    "to another account": (
        f"{ECR}/acme/commerce-order-service:1.41.0",
        f"210987654321{ECR[12:]}/acme/commerce-order-service:1.42.0",
    ),
    "with a commit for a tag": (
        f"ghcr.io/acme/team/area/service/order:{SHA[::-1]}",
        f"{ECR}/acme/order:{SHA}",
    ),
    "with a digest": (f"{ECR}/acme/order@{DIGEST[:-1]}f", f"{ECR}/acme/order:1.42.0@{DIGEST}"),
    "with the longest tag": (f"{ECR}/acme/order:{'a' * 128}", f"ghcr.io/acme/order:{'b' * 128}"),
    "with the longest tag and a digest": (f"ghcr.io/o:{'a' * 128}@{DIGEST}", f"{ECR}/o:{'b' * 110}@{DIGEST}"),
    "of a long name": (f"{ECR}/{'folder/' * 20}order:1", f"{ECR}/{'folder/' * 20}order-service:2"),
}


def seen(before: str, after: str, containers: int = 1) -> Evidence:
    names = [f"c{number}" for number in range(containers)]
    blue = [container(name, image=before) for name in names]
    green = [container(name, image=after) for name in names]
    return evidence(
        blue=side(41, revision=revision(41, *blue)),
        green=side(42, revision=revision(42, *green)),
        changes=diff(reading(41, *blue), reading(42, *green)),
    )


def version(image: str) -> str:
    return image.rpartition("/")[2]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("containers", [1, 6])
@pytest.mark.parametrize(("before", "after"), MOVES.values(), ids=MOVES)
def test_the_tag_is_always_there(before: str, after: str, containers: int, locale: LocaleName) -> None:
    view, texts = view_of(seen(before, after, containers)), Texts.of(locale)
    card, modal = [section(changes_text(view, texts))], details_modal(view, texts=texts)
    assert message_problems(card) == []
    assert view_problems(modal) == []
    home = within_limit(["x" * 600, *evidence_lines(view, texts=texts)])
    assert len(home) <= MAX_GATE_CHARS + 2
    for shown in ("\n".join(texts_in(card)), "\n".join(texts_in(modal)), home):
        for name in (before, after):
            tag = name.rpartition(":")[2]
            assert f"{tag}`" in shown, "cut off, or not there"


@pytest.mark.parametrize(("before", "after"), list(MOVES.values())[:2], ids=list(MOVES)[:2])
def test_where_it_moves_to_is_shown_in_its_first_letters(before: str, after: str) -> None:
    [line] = change_lines(seen(before, after), Texts.of("en"))
    for name in (before, after):
        assert f"`{name[:12]}" in line
        assert f"/{version(name)}`" in line


def test_an_indistinguishable_image_is_shown_whole_too() -> None:
    """Where blue is unknown, green's images are named alone."""
    long = f"{ECR}/{'f' * 100}/order:{'b' * 128}"
    same = [container(image=long), container("latest", image=f"{ECR}/{'g' * 100}/shop")]
    nothing = evidence(
        blue=side(41, revision=revision(41, *same)), green=side(42, revision=revision(42, *same))
    )
    assert "/shop:latest`" in "\n".join(change_lines(nothing, Texts.of("en")))
    assert f"/order:{'b' * 128}`" in str(details_modal(view_of(nothing), texts=Texts.of("en")))


def test_other_values_are_cut_as_before() -> None:
    change = Change(
        part=ChangedPart.ROLE,
        kind=ChangeKind.CHANGED,
        name="taskRole",
        after="arn:aws:iam::1:role/" + "r" * 300,
    )
    assert "…`" in change_lines(evidence(changes=(change,)), Texts.of("en"))[0]


@pytest.mark.parametrize(("before", "after"), list(MOVES.values())[:4], ids=list(MOVES)[:4])
async def test_on_the_card_and_in_details(harness: Harness, before: str, after: str) -> None:
    harness.aws.register_revision("order", container={"image": before})
    first, _ = await harness.open_gate("order")
    await harness.approve(OLU.id, first)
    await harness.reported(first)
    harness.aws.advance_until(lambda: harness.aws.deployment(first).over)
    harness.aws.register_revision("order", container={"image": after})
    deployment, _ = await harness.open_gate("order")
    tag = after.rpartition(":")[2]
    await harness.until(lambda: f"{tag}`" in harness.card_text(deployment))
    await harness.press(OLU.id, deployment, "details")
    await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
    modal: Any = harness.slack.views.top(OLU.id)
    assert f"{tag}`" in "\n".join(texts_in(modal.body))
