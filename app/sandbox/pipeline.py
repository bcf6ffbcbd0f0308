"""The domains' pipelines: they deploy commits with a title, a deployer and a traffic configuration."""

import itertools
from dataclasses import dataclass
from threading import Lock
from typing import Final

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.people import JUN, PEOPLE
from app.sandbox.slack.state.shapes import User
from app.sandbox.smoke_tests import SmokeTests


@dataclass(frozen=True, slots=True)
class Shift:
    """A way to move traffic: its name on the page, and CodeDeploy's configuration."""

    name: str
    config: str


SHIFTS: Final = (
    Shift("all-at-once", "CodeDeployDefault.ECSAllAtOnce"),
    Shift("canary", "CodeDeployDefault.ECSCanary10Percent5Minutes"),
    Shift("linear", "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"),
)
SHIFT_BY_NAME: Final = {shift.name: shift for shift in SHIFTS}

LOGINS: Final = {person.id: person.real_name.lower().replace(" ", "-") for person in PEOPLE}
"""GitHub logins: `mina-kim`."""

_COMMITS: Final = {
    "auth": ("Rotate refresh tokens on every use (#611)", "Lock an account after ten wrong codes (#617)"),
    "user": ("Store the delivery note with the address (#902)", "탈퇴 회원의 연락처를 즉시 지웁니다 (#908)"),
    "order": (
        "Keep the cart when the stock check times out (#2231)",
        "Refuse an order whose coupon ended meanwhile (#2236)",
        "주문 취소 사유를 기록합니다 (#2240)",
    ),
    "hub": ("Sort parcels by route before the truck, not in it (#388)", "Read scanner batches of 500 (#391)"),
    "delivery": (
        "Show the driver's position every 20 s (#1177)",
        "도착 예정 시각을 30분 단위로 표시 (#1180)",
    ),
    "notification": ("Send one push for orders that arrive together (#540)", "Quiet hours from 22:00 (#544)"),
    "promotion": ("Count a coupon once per household (#733)", "Compute stacked discounts in won (#735)"),
    "payment": (
        "Retry the card network once when it does not answer (#1423)",
        "결제 승인 번호를 영수증에 표시합니다 (#1427)",
        "Refund to the card that paid (#1431)",
    ),
}


class Pipeline:
    """Pushes commits to the domains, cycling through their titles. Some domains have a smoke test."""

    def __init__(self, aws: AwsStandIn, *, smoke_tests: SmokeTests) -> None:
        self._aws = aws
        self.smoke_tests = smoke_tests
        self._lock = Lock()
        self._titles = {domain: itertools.cycle(titles) for domain, titles in _COMMITS.items()}

    def push(self, domain: str, *, shift: str = "all-at-once", by: User = JUN) -> str:
        """CreateDeployment of the next commit; gives the deployment's id. Raises `AwsError` as it does."""
        with self._lock:
            titles = self._titles.get(domain)
            title = next(titles) if titles else "Small repairs"
        login = LOGINS.get(by.id, by.name)
        description = f"{title}\ngithub-actor={login}"
        self._aws.register_revision(domain, tags={"github-actor": login})
        deployment = self._aws.deploy(domain, description=description, config=SHIFT_BY_NAME[shift].config)
        self.smoke_tests.begin(domain, deployment)
        return deployment
