"""Bad input to the hook endpoint: each has a clear answer, is counted, and leaves nothing behind."""

import json
from typing import Any

import pytest

from app.sandbox.fakes import HOOK_SECRET, KID
from tests.harness import Harness
from tests.web.hooks.hook_sender import (
    EXECUTION,
    PATH,
    HookSender,
    deploy_without_hook,
    hook,
    left_behind,
    opened,
)

TEN_MEGABYTES = 10 * 2**20

MALFORMED: dict[str, tuple[object, str]] = {
    "nothing": (b"", "body"),
    "no JSON": (b"DeploymentId=d-1", "body"),
    "half of it": (b'{"DeploymentId": "d-1", "Lifecycle', "body"),
    "no UTF-8": (b'{"DeploymentId": "\xff\xfe"}', "body"),
    "half a character": (
        b'{"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "\\ud800"}',
        "LifecycleEventHookExecutionId",
    ),
    "a list": ([], "body"),
    "a number": (7, "body"),
    "null": (None, "body"),
    "no deployment": ({"LifecycleEventHookExecutionId": EXECUTION}, "DeploymentId"),
    "no execution": ({"DeploymentId": "d-1"}, "LifecycleEventHookExecutionId"),
    "an empty deployment": (hook(""), "DeploymentId"),
    "an empty execution": (hook("d-1", ""), "LifecycleEventHookExecutionId"),
    "a deployment of another shape": (hook("d-1/../../etc"), "DeploymentId"),
    "a deployment with a line end": (hook("d-1\n"), "DeploymentId"),
    "a deployment that is too long": (hook("d" * 65), "DeploymentId"),
    "a number for a deployment": ({"DeploymentId": 1, "LifecycleEventHookExecutionId": "x"}, "DeploymentId"),
    "an object for an execution": (
        {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": {"a": 1}},
        "LifecycleEventHookExecutionId",
    ),
    "an execution with a NUL": (hook("d-1", "a\x00b"), "LifecycleEventHookExecutionId"),
    "an execution with a line end": (hook("d-1", "a\r\nX: b"), "LifecycleEventHookExecutionId"),
    "an execution that is too long": (hook("d-1", "x" * 16_385), "LifecycleEventHookExecutionId"),
    "a field too many": (hook("d-1", Extra="x"), "Extra"),
    "a hook of another shape": (hook("d-1", HookName="Before Allow"), "HookName"),
    "an account of another shape": (hook("d-1", AccountId="12"), "AccountId"),
    "a region of another shape": (hook("d-1", Region="mars"), "Region"),
}

UNSIGNED: dict[str, tuple[dict[str, Any], str]] = {
    "an old timestamp": ({"age": 301}, "stale_timestamp"),
    "a timestamp to come": ({"age": -302}, "stale_timestamp"),
    "no number for a timestamp": ({"X_Switchgate_Timestamp": "yesterday"}, "bad_timestamp"),
    "a timestamp in other digits": ({"X_Switchgate_Timestamp": "１７９５４２４４００"}, "bad_timestamp"),
    "a megabyte of digits": ({"X_Switchgate_Timestamp": "9" * 7000}, "bad_timestamp"),
    "an unknown key": ({"kid": "nobody"}, "unknown_key"),
    "a key with odd characters": ({"X_Switchgate_Key": "열쇠é"}, "unknown_key"),
    "another secret": ({"secret": "some-other-secret-0123456789"}, "mismatch"),
    "a tampered body": ({"signed": b'{"DeploymentId": "d-2"}'}, "mismatch"),
    "a signature for another path": ({"signed_path": "/hooks/other"}, "mismatch"),
    "no signature": ({"X_Switchgate_Signature": ""}, "missing_header"),
    "no key": ({"X_Switchgate_Key": ""}, "missing_header"),
    "no timestamp": ({"X_Switchgate_Timestamp": ""}, "missing_header"),
    "another version": ({"X_Switchgate_Signature": "v2=" + "0" * 64}, "mismatch"),
    "a signature outside ASCII": ({"X_Switchgate_Signature": "v1=é열쇠"}, "mismatch"),
}


@pytest.mark.parametrize(("message", "field"), MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_hook_is_told_which_field_and_leaves_nothing(
    harness: Harness, sender: HookSender, message: object, field: str
) -> None:
    before = await sender.counted("malformed")

    answer = await sender.send_hook(message)

    assert (answer.status, answer.body["error"]) == (400, "malformed")
    assert [error["field"] for error in answer.body["errors"]] == [field]
    assert EXECUTION not in answer.text
    assert set(left_behind(harness).values()) == {0}
    assert await sender.counted("malformed") == before + 1


async def test_a_signed_empty_object_is_a_test_which_leaves_nothing(
    harness: Harness, sender: HookSender
) -> None:
    before, malformed = await sender.counted("test"), await sender.counted("malformed")

    answer = await sender.send_hook({})

    assert (answer.status, answer.body["error"]) == (400, "malformed")
    assert set(left_behind(harness).values()) == {0}
    assert await sender.counted("test") == before + 1
    assert await sender.counted("malformed") == malformed


@pytest.mark.parametrize(("how", "reason"), UNSIGNED.values(), ids=UNSIGNED.keys())
async def test_what_is_not_rightly_signed_is_refused_and_leaves_nothing(
    harness: Harness, sender: HookSender, how: dict[str, Any], reason: str
) -> None:
    deployment = await deploy_without_hook(harness)
    before = await sender.counted("bad_signature")

    answer = await sender.send_hook(hook(deployment), **how)

    assert (answer.status, answer.body["error"]) == (401, reason)
    assert answer.body["detail"]
    assert HOOK_SECRET not in answer.text
    assert set(left_behind(harness).values()) == {0}
    assert await sender.counted("bad_signature") == before + 1


async def test_a_replayed_hook_opens_nothing_and_is_refused_after_five_minutes(
    harness: Harness, sender: HookSender
) -> None:
    deployment = await deploy_without_hook(harness)
    body = f'{{"DeploymentId": "{deployment}", "LifecycleEventHookExecutionId": "x"}}'.encode()
    heard = {**sender.signature(body), "Content-Type": "application/json"}
    assert (await sender.send(PATH, body, heard)).status == 202

    harness.clock.advance(seconds=290)
    assert (await sender.send(PATH, body, heard)).status == 200
    harness.clock.advance(seconds=15)
    assert (await sender.send(PATH, body, heard)).status == 401
    assert len(opened(harness, deployment)) == 1


@pytest.mark.parametrize("size", [64 * 1024 + 1, TEN_MEGABYTES])
async def test_a_body_over_the_limit_is_refused(harness: Harness, sender: HookSender, size: int) -> None:
    answer = await sender.send_hook(b" " * size)

    assert (answer.status, answer.body["error"]) == (400, "too_large")
    assert "65536" in answer.body["detail"]
    assert set(left_behind(harness).values()) == {0}


async def test_a_body_without_a_length_is_read_no_further_than_the_limit(
    harness: Harness, sender: HookSender
) -> None:
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    one_too_many = b"10000\r\n" + b" " * 0x10000 + b"\r\n" + b"1\r\n \r\n"

    answer = await sender.raw(head + one_too_many)  # and no end, which it would wait for

    assert (answer.status, answer.body["error"]) == (400, "too_large")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "é"]
)
async def test_another_content_type_is_refused(harness: Harness, sender: HookSender, kind: str) -> None:
    deployment = await deploy_without_hook(harness)

    answer = await sender.send_hook(hook(deployment), Content_Type=kind)

    assert (answer.status, answer.body["error"]) == (400, "malformed")
    assert "application/json" in answer.body["detail"]
    assert opened(harness, deployment) == []


async def test_what_is_signed_may_leave_out_that_it_is_json(harness: Harness, sender: HookSender) -> None:
    deployment = await deploy_without_hook(harness)
    raw = json.dumps(hook(deployment, HookName=None, AccountId=None, Region=None)).encode()
    head = {**sender.signature(raw), "Host": "x", "Connection": "close", "Content-Length": str(len(raw))}
    lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]

    assert (await sender.raw("\r\n".join(lines).encode() + raw)).status == 202
    assert len(opened(harness, deployment)) == 1


async def test_a_hook_sent_elsewhere_or_otherwise_is_refused(harness: Harness, sender: HookSender) -> None:
    body = b"{}"
    signed = {**sender.signature(body), "Content-Type": "application/json"}

    assert (await sender.send(PATH, None, signed, method="GET")).status == 405
    assert (await sender.send(PATH + "/", body, signed)).status in {307, 404}
    assert (await sender.send(PATH + "?path=/x", body, signed)).status == 400  # the path is what is signed
    assert set(left_behind(harness).values()) == {0}


@pytest.mark.parametrize(
    "header",
    [
        b"X-Caf\xc3\xa9: 1",
        b"X-Other: \xed\x95\x9c\xff\xfe",
        b"X-Switchgate-Key: \xff",
        b"Content-Length: \xb2",
    ],
)
async def test_headers_outside_ascii_end_in_a_refusal(
    harness: Harness, sender: HookSender, header: bytes
) -> None:
    lines = [f"POST {PATH} HTTP/1.1".encode(), b"Host: x", b"Connection: close", header, b"", b""]

    answer = await sender.raw(b"\r\n".join(lines))

    assert answer.status in {400, 401}
    assert set(left_behind(harness).values()) == {0}


async def test_only_the_names_of_a_key_and_no_secret_are_in_an_answer(
    harness: Harness, sender: HookSender
) -> None:
    answers = [
        await sender.send_hook(b"{", kid=KID),
        await sender.send_hook(hook("d-1"), secret="wrong-secret-0123456789"),
        await sender.send_hook(hook("d-NOBODY"), kid=KID),
    ]

    for answer in answers:
        assert answer.body["error"]
        assert not {HOOK_SECRET, "wrong-secret-0123456789", EXECUTION} & set(answer.text.split('"'))
        assert EXECUTION not in answer.text
