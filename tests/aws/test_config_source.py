"""The configuration in S3 and in SSM, read by an unchanged boto3 from a stand-in at the wire."""

from collections.abc import Iterator

import pytest

from app.aws.config_source import MAX_BYTES, ParameterSource, S3Source
from app.config.location import ConfigObject, ConfigParameter
from app.config.schema import ConfigError
from app.config.source import ConfigSource, ConfigUnread
from tests.aws.config_store import ConfigStore

OBJECT = ConfigObject(bucket="klp-config", key="prod/switchgate.toml")
NAME = "/switchgate/config"
TEXT = '[slack]\nchannel = "C01DEPLOY"  # 배포\n'


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConfigStore]:
    with ConfigStore() as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def unread(source: ConfigSource) -> str:
    with pytest.raises(ConfigUnread) as error:
        source.read()
    return str(error.value)


def test_an_object_is_read_and_a_new_version_of_it_too(store: ConfigStore) -> None:
    store.objects["klp-config", "prod/switchgate.toml"] = TEXT.encode()
    source = S3Source(OBJECT)
    assert source.read() == TEXT

    store.objects["klp-config", "prod/switchgate.toml"] = b"[policy]\n"
    assert source.read() == "[policy]\n"


@pytest.mark.parametrize("type_", ["String", "SecureString"])
def test_a_parameter_is_read_and_decrypted(store: ConfigStore, type_: str) -> None:
    store.put_parameter(NAME, TEXT, type_=type_)

    assert ParameterSource(ConfigParameter(NAME)).read() == TEXT


def test_the_region_is_that_of_the_service(store: ConfigStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 itself reads AWS_DEFAULT_REGION alone; the stand-in refuses requests that are signed for another region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    store.objects["klp-config", "prod/switchgate.toml"] = TEXT.encode()
    store.put_parameter(NAME, TEXT)

    assert S3Source(OBJECT).read() == TEXT
    assert ParameterSource(ConfigParameter(NAME)).read() == TEXT

    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert S3Source(OBJECT).read() == TEXT
    assert ParameterSource(ConfigParameter(NAME)).read() == TEXT


def test_a_missing_object_and_a_missing_bucket_are_named(store: ConfigStore) -> None:
    place = "s3://klp-config/prod/switchgate.toml: cannot be read"
    assert unread(S3Source(OBJECT)).startswith(f"{place}: NoSuchBucket. Name a bucket")

    store.objects["klp-config", "dev/switchgate.toml"] = b""
    assert unread(S3Source(OBJECT)).startswith(f"{place}: NoSuchKey. Upload switchgate.toml")

    store.can_list = False
    said = unread(S3Source(OBJECT))
    assert "AccessDenied. Allow s3:GetObject" in said
    assert "without the second one S3 says so also if there is no such object" in said


def test_a_missing_parameter_is_named(store: ConfigStore) -> None:
    said = unread(ParameterSource(ConfigParameter(NAME)))

    assert said.startswith("ssm:/switchgate/config: cannot be read: ParameterNotFound. Put switchgate.toml")


def test_a_missing_permission_is_named(store: ConfigStore) -> None:
    store.put_parameter(NAME, TEXT)
    store.objects["klp-config", "prod/switchgate.toml"] = TEXT.encode()
    store.denied |= {f"ssm:{NAME}", "s3://klp-config/prod/switchgate.toml"}

    assert "AccessDenied. Allow s3:GetObject on the object" in unread(S3Source(OBJECT))
    said = unread(ParameterSource(ConfigParameter(NAME)))
    assert "AccessDeniedException. Allow ssm:GetParameter on the parameter, and kms:Decrypt" in said


def test_aws_out_of_reach_is_named_without_the_request(
    monkeypatch: pytest.MonkeyPatch, store: ConfigStore
) -> None:
    for service in ("S3", "SSM"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://127.0.0.1:1")

    for source in (S3Source(OBJECT), ParameterSource(ConfigParameter(NAME))):
        said = unread(source)
        assert (
            said
            == f"{source.name}: cannot be read: EndpointConnectionError. Look at the way from here to AWS."
        )


def test_an_object_that_is_no_configuration_is_not_read_to_its_end(store: ConfigStore) -> None:
    store.objects["klp-config", "prod/switchgate.toml"] = b"#" * (MAX_BYTES + 1)
    with pytest.raises(ConfigError, match="is larger than 1024 KiB"):
        S3Source(OBJECT).read()

    store.objects["klp-config", "prod/switchgate.toml"] = b"#" * MAX_BYTES
    assert len(S3Source(OBJECT).read()) == MAX_BYTES

    store.objects["klp-config", "prod/switchgate.toml"] = b"\xff\xfe"
    with pytest.raises(ConfigError, match=r"is not UTF-8 \(byte 0\)"):
        S3Source(OBJECT).read()
