"""The region of a boto3 session that is made without the service's settings."""

import os

import boto3


def regional_session(region: str | None = None) -> boto3.session.Session:
    """`region`, else AWS_REGION as for the service, else what boto3 finds itself: it does not read AWS_REGION."""
    return boto3.session.Session(region_name=region or os.environ.get("AWS_REGION") or None)
