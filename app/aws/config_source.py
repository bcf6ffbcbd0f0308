"""The configuration in S3 or in SSM's Parameter Store."""

from typing import TYPE_CHECKING, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from app.aws.errors import code_of
from app.aws.region import regional_session
from app.config.location import ConfigObject, ConfigParameter
from app.config.schema import ConfigError, Problem
from app.config.source import ConfigUnread, decoded, unread

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_ssm import SSMClient

MAX_BYTES: Final = 1024 * 1024
"""Of an object in S3. A parameter has 4 KB, an advanced one 8 KB: SSM takes no longer ones."""

READS: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5
)

_REMEDIES: Final = {
    "NoSuchKey": "Upload switchgate.toml there, or name another key.",
    "NoSuchBucket": "Name a bucket that exists.",
    "AccessDenied": "Allow s3:GetObject on the object, and s3:ListBucket on its bucket: without the second one S3 says"
    " so also if there is no such object.",
    "ParameterNotFound": "Put switchgate.toml into that parameter of this region, or name another one.",
    "ParameterVersionNotFound": "Name a version or a label that the parameter has.",
    "AccessDeniedException": "Allow ssm:GetParameter on the parameter, and kms:Decrypt on the key of a SecureString.",
}


class S3Source:
    """An object in S3, by GetObject. A client is made for each read, which comes once a minute at most."""

    is_remote: Final = True

    def __init__(self, location: ConfigObject) -> None:
        self._location = location
        self.name: Final = f"s3://{location.bucket}/{location.key}"

    def read(self) -> str:
        """Raises `ConfigError`."""
        try:
            client: S3Client = regional_session().client("s3", config=READS)
            answer = client.get_object(Bucket=self._location.bucket, Key=self._location.key)
            with answer["Body"] as body:
                raw = body.read(MAX_BYTES + 1)
        except (ClientError, BotoCoreError, ValueError) as exc:  # ValueError: an endpoint that is no address
            raise _unread(self.name, exc) from None
        if len(raw) > MAX_BYTES:
            what = f"is larger than {MAX_BYTES // 1024} KiB"
            raise ConfigError(Problem(file=self.name, key="", what=what, remedy="Name a switchgate.toml."))
        return decoded(raw, name=self.name)


class ParameterSource:
    """A parameter of SSM's Parameter Store, by GetParameter; a SecureString is decrypted."""

    is_remote: Final = True

    def __init__(self, location: ConfigParameter) -> None:
        self._location = location
        self.name: Final = f"ssm:{location.name}"

    def read(self) -> str:
        """Raises `ConfigError`."""
        try:
            client: SSMClient = regional_session().client("ssm", config=READS)
            answer = client.get_parameter(Name=self._location.name, WithDecryption=True)
        except (ClientError, BotoCoreError, ValueError) as exc:  # ValueError: an endpoint that is no address
            raise _unread(self.name, exc) from None
        return answer["Parameter"]["Value"]


def _unread(name: str, exc: Exception) -> ConfigUnread:
    match exc:
        case ClientError():
            why = code_of(exc) or "an unnamed error"
            remedy = _REMEDIES.get(why, "Look the code up in AWS's documentation.")
        case NoCredentialsError():
            why, remedy = "there are no AWS credentials", "Give the task or the machine a role."
        case NoRegionError():
            why, remedy = "no region is named", "Set AWS_REGION."
        case _:
            # Its text may carry the endpoint and the request; the class says enough.
            why, remedy = type(exc).__name__, "Look at the way from here to AWS."
    return unread(name, why, remedy)
