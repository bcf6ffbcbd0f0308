"""Where and how a task set runs, and which container gets its traffic: these change without the task definition."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.gate.evidence.revision_diff import Change, ChangedPart, ChangeKind, changed

LATEST_PLATFORM = "LATEST_PLATFORM"
"""The platform version where none is given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskSetSettings:
    """The settings that ECS reports. `capacity` names the launch type, or the capacity providers with their shares;
    `routes` are `container:port`. Empty: not reported."""

    capacity: str = ""
    platform: str = ""
    platform_family: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    assign_public_ip: str = "DISABLED"
    routes: tuple[str, ...] = ()
    service_registries: tuple[str, ...] = ()
    storage_key: str = ""


def settings_changes(blue: TaskSetSettings | None, green: TaskSetSettings | None) -> Iterator[Change]:
    """What green's task set does in another way than blue's; nothing where one of them is not known."""
    if blue is None or green is None:
        return
    if blue.capacity and green.capacity:
        yield from changed(ChangedPart.CAPACITY, "capacity", blue.capacity, green.capacity)
    yield from changed(
        ChangedPart.PLATFORM, "platform", blue.platform or LATEST_PLATFORM, green.platform or LATEST_PLATFORM
    )
    if blue.platform_family and green.platform_family:
        yield from changed(
            ChangedPart.PLATFORM, "platformFamily", blue.platform_family, green.platform_family
        )
    yield from _network(blue, green)
    if blue.routes and green.routes:
        yield from changed(ChangedPart.ROUTE, "route", ", ".join(blue.routes), ", ".join(green.routes))
    if blue.service_registries != green.service_registries:
        yield Change(part=ChangedPart.OTHER, kind=ChangeKind.CHANGED, name="serviceRegistries")
    if blue.storage_key != green.storage_key:
        yield Change(part=ChangedPart.OTHER, kind=ChangeKind.CHANGED, name="fargateEphemeralStorage")


def _network(blue: TaskSetSettings, green: TaskSetSettings) -> Iterator[Change]:
    parts = {
        "subnets": blue.subnets != green.subnets,
        "securityGroups": blue.security_groups != green.security_groups,
        "assignPublicIp": blue.assign_public_ip != green.assign_public_ip,
    }
    differing = ", ".join(name for name, differs in parts.items() if differs)
    if differing:
        yield Change(part=ChangedPart.NETWORK, kind=ChangeKind.CHANGED, name=differing)
