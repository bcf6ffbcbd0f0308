"""Which tags name one build, as pipelines really write them, and which are moved to the next."""

from typing import Final

import pytest

from app.gate.evidence.image_tags import names_one_build

ONE_BUILD: Final = f"""
    9f3c2ab 0a1b2c3 main-9f3c2ab sha-9f3c2ab sha-1234567 1.4.2-9f3c2ab v1.2-14-g9f3c2ab 9f3c2ab-arm64
    9f3c2ab{"0" * 33} {"f" * 40} {"0a" * 32} main-20261129-9f3c2ab 7c9b8a76-1111-4e8c-9f3a-0123456789ab
    1.4.2 v1.4.2 release-1.4.2 order-v1.4.2 order_1.4.2 app1.4.2 1.4.2-rc.1 1.4.2-alpine 1.4.2-dev.5 1.2.3.4 2026.11.29
    1.4.0-SNAPSHOT-9f3c2ab
    20261129-1425 20261129.1 20261129142530 20261129T142530Z 2026-11-29-142530 2026-11-29T14-25-30Z prod-20261129-142530
    main-1764400000
    build-1234 build1234 build_7 pipeline.77 ci-412 run-9 main-412 412 48231
""".split()
MOVED: Final = f"""
    latest stable main release bookworm latest-arm64 latest-amd64 stable-2 prod2 dev-2 stage-1 stage-eu1 eu-west-1
    arm64v8 release-2
    2 3 v1 a1 1.27 1.4 v1.4 1.x node20 node20.11 20-alpine 20.11-alpine3.19 17-jre java11-slim 1.4-slim k8s-1.29
    2024 2022 ltsc2022 20261129 nightly-20261129
    1.4.0-SNAPSHOT 1.4.0-SNAPSHOT-arm64 1.4.2-latest
    pr-12 ABC-1234 feature-ABC-1234
    deadbee defaced {"a" * 128}
""".split()


@pytest.mark.parametrize("tag", ONE_BUILD)
def test_a_tag_that_is_made_for_one_build_is_fixed(tag: str) -> None:
    assert names_one_build(tag)


@pytest.mark.parametrize("tag", MOVED)
def test_a_tag_that_is_moved_from_build_to_build_is_not(tag: str) -> None:
    assert not names_one_build(tag)
