"""AWS's Query protocol: form fields in, XML out."""

import re
from typing import Any, Final
from xml.sax.saxutils import escape

_MEMBER: Final = re.compile(r"(?P<name>\w+)\.member\.(?P<place>\d+)")
NAMESPACE: Final = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"


def read_form(fields: dict[str, str]) -> dict[str, Any]:
    """`Names.member.1=a` becomes `{"Names": ["a"]}`; the protocol's own fields are left out."""
    params: dict[str, Any] = {}
    lists: dict[str, dict[int, str]] = {}
    for name, value in fields.items():
        member = _MEMBER.fullmatch(name)
        if member:
            lists.setdefault(member["name"], {})[int(member["place"])] = value
        elif name not in ("Action", "Version"):
            params[name] = value
    for name, members in lists.items():
        params[name] = [members[place] for place in sorted(members)]
    return params


def answer(op: str, result: dict[str, Any], request_id: str) -> str:
    """A whole response document."""
    return (
        f'<{op}Response xmlns="{NAMESPACE}"><{op}Result>{_members(result)}</{op}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{op}Response>"
    )


def error_response(code: str, message: str, request_id: str) -> str:
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
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
