"""The parameters of a request that name one switch."""

from typing import Annotated

from fastapi import Path, Query

from app.gate.ids import AWS_ACCOUNT, AWS_REGION

Deployment = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$",
        description="Write CodeDeploy's id, d-….",
        examples=["d-A1B2C3D4E"],
    ),
]
Account = Annotated[
    str | None,
    Query(
        pattern=AWS_ACCOUNT,
        description="Where two accounts share an id: write the 12 digits of one.",
        examples=["123456789012"],
    ),
]
Region = Annotated[
    str | None,
    Query(
        pattern=AWS_REGION,
        description="Write the deployment's AWS region, or leave it out for ours.",
        examples=["ap-northeast-2"],
    ),
]
