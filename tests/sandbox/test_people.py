"""The rules of the interactive sandbox: each feature can be tried, and without waiting for long."""

from datetime import timedelta

from app.config.loader import parse_config
from app.gate.ids import DomainName
from app.sandbox.people import DOMAIN_RULES, POLICY, config_text


def test_every_feature_can_be_tried_within_minutes() -> None:
    config = parse_config(config_text(policy=POLICY, **DOMAIN_RULES), file="switchgate.toml")
    policies = {name: domain.policy for name, domain in config.domains.items()}

    assert all(policy.finish_now for policy in policies.values())
    assert policies["auth"].exclusivity.excludes == (DomainName("user"),)
    assert policies["user"].exclusivity.excludes == (DomainName("auth"),)
    notification = policies["notification"]
    assert notification.deadline <= timedelta(minutes=3)
    assert notification.reminder_settings.before == (timedelta(minutes=2),)
    assert (policies["payment"].approvals, policies["payment"].required_checks) == (2, ("card charge smoke",))
