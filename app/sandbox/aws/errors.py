"""AWS's errors."""


class AwsError(Exception):
    """An error answer: the code boto3 shows as `Error.Code`, a text and an HTTP status."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
