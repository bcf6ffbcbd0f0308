"""ECS's own shape of a task definition, filled in: every string that it can hold, each of them another secret."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

MODEL: Final = ServiceModel(Loader().load_service_model("ecs", "service-2"), "ecs")
AT: Final = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
TASK_DEFINITION: Final = MODEL.shape_for("TaskDefinition")
CONTAINER: Final = MODEL.shape_for("ContainerDefinition")


def filled(shape: Shape, secret: str, path: str = "") -> Any:
    """A value of the shape; each string is `secret` and its own path, so that a leak shows where it came from."""
    if isinstance(shape, StructureShape):
        return {
            name: filled(member, secret, f"{path}.{name}".lstrip("."))
            for name, member in shape.members.items()
        }
    if isinstance(shape, ListShape):
        return [filled(shape.member, secret, f"{path}[]")]
    if isinstance(shape, MapShape):
        return {planted(secret, f"{path}.key"): planted(secret, f"{path}.value")}
    if shape.type_name == "string":
        return planted(secret, path)
    return {"boolean": True, "timestamp": AT}.get(shape.type_name, 7)


def planted(secret: str, path: str) -> str:
    """The string at `path`: letters and digits only, so that no escaping hides it."""
    return secret + "".join(part.capitalize() for part in path.replace("[]", "").split("."))


def strings(value: Any) -> Iterator[str]:
    """Every planted string of a filled value, keys of the user's own maps included."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from strings(part)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value
