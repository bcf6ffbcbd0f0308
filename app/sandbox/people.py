"""The sandbox's people and rules: who is in the workspace, and the `switchgate.toml` that names them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from app.sandbox.aws.state.topology import EIGHT_DOMAINS, SandboxDomain
from app.sandbox.slack.state.shapes import Channel, User, UserGroup

CHANNEL: Final = Channel(id="C01DEPLOY", name="deploys")

MINA: Final = User(id="U01MINA", name="mina", real_name="Mina Kim", locale="ko-KR")
OLU: Final = User(id="U02OLU", name="olu", real_name="Olu Ade", tz="Europe/London")
GRACE: Final = User(id="U03GRACE", name="grace", real_name="Grace Park")
JUN: Final = User(id="U04JUN", name="jun", real_name="Jun Lee", locale="ko-KR")
PEOPLE: Final = (MINA, OLU, GRACE, JUN)
"""Mina and Olu are on call, Grace may decide too and is an admin, Jun deploys and may not decide."""

ONCALL: Final = UserGroup(id="S0ONCALL", handle="oncall", name="On call", members=(MINA.id, OLU.id))

SMOKE_TEST: Final = "card charge smoke"

POLICY: Final = "finish_now = true\n"
DOMAIN_RULES: Final = {
    "auth": 'exclusive = ["user"]\n',
    "user": 'exclusive = ["auth"]\n',
    "notification": "deadline_minutes = 3\nremind_at_half = false\nremind_before_minutes = [2]\n",
    "payment": f'approvals = 2\nrequired_checks = ["{SMOKE_TEST}"]\n',
}
"""The rules of the interactive sandbox, so that everything can be tried within minutes: those of [policy], and those of
single domains, of which the page has a text each."""

HEAD: Final = f"""\
[slack]
channel = "{CHANNEL.id}"
admins = ["{GRACE.id}"]

[policy]
approvers = ["{ONCALL.id}", "{GRACE.id}"]
approvals = 1
own_deployment = false
unknown_deployer = "allow"

[people]
mina-kim = "{MINA.id}"
olu-ade = "{OLU.id}"
grace-park = "{GRACE.id}"
jun-lee = "{JUN.id}"
"""


def people_of(locale: str) -> tuple[User, ...]:
    """The same people; Grace's locale is that of the cards."""
    grace = replace(GRACE, locale="ko-KR" if locale == "ko" else "en-US")
    return tuple(grace if one is GRACE else one for one in PEOPLE)


def config_text(
    domains: Iterable[SandboxDomain] = EIGHT_DOMAINS,
    /,
    *,
    unknown_deployer: str = "allow",
    policy: str = "",
    **more: str,
) -> str:
    """`switchgate.toml` for these domains. `policy` adds lines to [policy], `more` to a domain's table, by its name."""
    said = f'unknown_deployer = "{unknown_deployer}"\n{policy}'
    head = HEAD.replace('unknown_deployer = "allow"\n', said)
    tables = [
        f'[domains.{domain.name}]\napplication = "{domain.application}"\n'
        f'deployment_group = "{domain.deployment_group}"\nlistener_port = {domain.listener_port}\n'
        f"{more.get(domain.name, '')}"
        for domain in domains
    ]
    return "\n".join([head, *tables])
