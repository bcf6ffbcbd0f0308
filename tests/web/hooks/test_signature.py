"""The signature: what is accepted, and that everything else is refused for the reason it says."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.datastructures import Headers

from app.hook_lambda.handler import Key, signed
from app.web.hooks.signature import BadSignature, HookKeys, Reason, sign

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
BODY = b'{"DeploymentId":"d-1"}'
KEYS = HookKeys({"old": SecretStr("the-old-secret"), "new": "the-new-secret"})


SECRETS = {"old": "the-old-secret", "new": "the-new-secret"}


def request(*, kid: str = "new", signed_with: str = "new", at: datetime = NOW) -> dict[str, str]:
    return sign(
        kid=kid,
        secret=SECRETS[signed_with],
        timestamp=int(at.timestamp()),
        method="POST",
        path="/hooks/codedeploy",
        body=BODY,
    )


def verify(
    headers: Mapping[str, str], *, method: str = "POST", path: str = "/hooks/codedeploy", body: bytes = BODY
) -> str:
    return KEYS.verify(headers=headers, method=method, path=path, body=body, now=NOW)


def refusal(headers: Mapping[str, str], **changed: object) -> Reason:
    with pytest.raises(BadSignature) as refused:
        verify(headers, **changed)  # type: ignore[arg-type]  # each caller changes one of verify's own
    assert "secret" not in str(refused.value)
    return refused.value.reason


def test_the_signature_is_the_one_that_the_contract_spells_out() -> None:
    text = f"v1:{int(NOW.timestamp())}:POST:/hooks/codedeploy:{hashlib.sha256(BODY).hexdigest()}"
    mac = hmac.new(b"the-new-secret", text.encode(), hashlib.sha256).hexdigest()

    assert request() == {
        "X-Switchgate-Key": "new",
        "X-Switchgate-Timestamp": str(int(NOW.timestamp())),
        "X-Switchgate-Signature": f"v1={mac}",
    }


def test_both_keys_are_accepted_while_they_are_rotated() -> None:
    assert verify(request()) == "new"
    assert verify(request(kid="old", signed_with="old")) == "old"


def test_header_names_come_in_any_case() -> None:
    headers = request()
    assert verify({name.lower(): value for name, value in headers.items()}) == "new"
    assert verify(Headers({name.upper(): value for name, value in headers.items()})) == "new"


@pytest.mark.parametrize("name", list(request()))
def test_each_of_the_three_headers_is_needed(name: str) -> None:
    assert refusal({k: v for k, v in request().items() if k != name}) is Reason.MISSING_HEADER
    assert refusal(request() | {name: ""}) is Reason.MISSING_HEADER


def test_a_key_of_another_name_is_refused_even_with_a_right_secret() -> None:
    assert refusal(request(kid="other")) is Reason.UNKNOWN_KEY
    assert refusal(request(kid="old")) is Reason.MISMATCH


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_clock_five_minutes_away_is_still_accepted(seconds: int) -> None:
    assert verify(request(at=NOW + timedelta(seconds=seconds))) == "new"


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_an_old_or_early_request_is_refused_though_rightly_signed(seconds: int) -> None:
    assert refusal(request(at=NOW + timedelta(seconds=seconds))) is Reason.STALE_TIMESTAMP


@pytest.mark.parametrize(
    "timestamp",
    [
        "soon",
        "-5",
        "+5",
        "1.5",
        "1e9",
        " 1764000000",
        "1_764_000_000",
        "١٧٦٤٠٠٠٠٠٠",
        "²",
        "9" * 13,
        "9" * 50,
    ],
)
def test_a_timestamp_that_is_no_plain_number_is_refused(timestamp: str) -> None:
    assert refusal(request() | {"X-Switchgate-Timestamp": timestamp}) is Reason.BAD_TIMESTAMP


def test_nothing_that_was_signed_may_change() -> None:
    headers = request()
    assert refusal(headers, method="PUT") is Reason.MISMATCH
    assert refusal(headers, path="/hooks/other") is Reason.MISMATCH
    assert refusal(headers, body=BODY + b" ") is Reason.MISMATCH
    later = str(int(NOW.timestamp()) + 1)
    assert refusal(headers | {"X-Switchgate-Timestamp": later}) is Reason.MISMATCH


@pytest.mark.parametrize(
    "presented", ["v1=", "v1=" + "0" * 64, "v0=" + "0" * 64, "v1=é", "\udcff", "0" * 70_000]
)
def test_a_made_up_signature_is_refused(presented: str) -> None:
    assert refusal(request() | {"X-Switchgate-Signature": presented}) is Reason.MISMATCH


def test_a_signature_without_its_version_is_refused() -> None:
    headers = request()
    bare = headers["X-Switchgate-Signature"].removeprefix("v1=")
    assert refusal(headers | {"X-Switchgate-Signature": bare}) is Reason.MISMATCH


@given(kid=st.text(min_size=1), timestamp=st.text(min_size=1), presented=st.text(min_size=1), path=st.text())
def test_whatever_the_headers_hold_the_answer_is_a_refusal(
    kid: str, timestamp: str, presented: str, path: str
) -> None:
    headers = {
        "X-Switchgate-Key": kid,
        "X-Switchgate-Timestamp": timestamp,
        "X-Switchgate-Signature": presented,
    }
    assert refusal(headers, path=path) is not Reason.MISSING_HEADER


def test_without_any_key_nothing_is_accepted() -> None:
    with pytest.raises(BadSignature) as refused:
        HookKeys({}).verify(headers=request(), method="POST", path="/hooks/codedeploy", body=BODY, now=NOW)
    assert refused.value.reason is Reason.UNKNOWN_KEY


@pytest.mark.parametrize(("kid", "secret"), [("k1", ""), ("k1", SecretStr("")), ("", "a secret")])
def test_an_empty_key_is_not_taken(kid: str, secret: SecretStr | str) -> None:
    with pytest.raises(ValueError, match="may be empty") as refused:
        HookKeys({kid: secret})
    assert "a secret" not in str(refused.value)


def test_keys_shown_anywhere_show_their_names_only() -> None:
    assert repr(KEYS) == str(KEYS) == "HookKeys(kids=['new', 'old'])"
    assert "0123" not in repr(Key(kid="k1", secret="0123"))


@given(
    secret=st.text(min_size=1),
    timestamp=st.integers(min_value=0, max_value=10**11),
    path=st.from_regex(r"/[A-Za-z0-9._~/-]{0,40}", fullmatch=True),
    body=st.binary(max_size=200),
)
def test_the_lambda_signs_as_the_service_does(secret: str, timestamp: int, path: str, body: bytes) -> None:
    ours = sign(kid="k1", secret=secret, timestamp=timestamp, method="POST", path=path, body=body)
    theirs = signed(Key(kid="k1", secret=secret), path=path, body=body, timestamp=timestamp)
    assert ours.items() <= theirs.items()
