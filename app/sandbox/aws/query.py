"""AWS's Query protocol: form fields in, XML out."""

from typing import Any, Final
from xml.sax.saxutils import escape

NAMESPACES: Final = {
    "2015-12-01": "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    "2011-06-15": "https://sts.amazonaws.com/doc/2011-06-15/",
    "2010-05-08": "https://iam.amazonaws.com/doc/2010-05-08/",
}
"""Of ELBv2, STS and IAM, by the API's version, which requests name."""


def read_form(fields: dict[str, str]) -> dict[str, Any]:
    """`Names.member.1=a` becomes `{"Names": ["a"]}`, `Entries.member.1.Name=b` becomes `{"Entries": [{"Name": "b"}]}`;
    the protocol's own fields are left out."""
    tree: dict[str, Any] = {}
    for name, value in fields.items():
        if name in ("Action", "Version"):
            continue
        *path, last = name.split(".")
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node[last] = value
    return {name: _read(value) for name, value in tree.items()}


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value.keys() == {"member"} and isinstance(value["member"], dict):
        members = value["member"]
        return [_read(members[place]) for place in sorted(members, key=int)]
    return {name: _read(one) for name, one in value.items()}


def answer(op: str, result: dict[str, Any], request_id: str, *, version: str) -> str:
    """A whole response document."""
    return (
        f'<{op}Response xmlns="{NAMESPACES[version]}"><{op}Result>{_members(result)}</{op}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{op}Response>"
    )


def error_response(code: str, message: str, request_id: str, *, version: str) -> str:
    """`version` is a request's, so it may be unknown; no SDK reads the namespace of an error."""
    namespace = NAMESPACES.get(version, "")
    return (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _members(shape: dict[str, Any]) -> str:
    return "".join(f"<{name}>{_xml(value)}</{name}>" for name, value in shape.items())


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        return _members(value)
    if isinstance(value, list):
        return "".join(f"<member>{_xml(one)}</member>" for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))
