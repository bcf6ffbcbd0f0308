"""The text of each change, for cards and details."""

from typing import Final

from app.gate.evidence.commits import Commits
from app.gate.evidence.model import Missing
from app.gate.evidence.revision_diff import Change, ChangedPart
from app.i18n.catalog import Texts
from app.slack.text.escape import inline

NOTHING: Final = "—"
MAX_IMAGE_CHARS: Final = 300
"""Characters; ECS takes 255."""

MIN_FOLDER_CHARS: Final = 12
SHORT_SHA_CHARS: Final = 7


def code(text: str, *, max_chars: int = 120) -> str:
    """Untrusted text as inline code."""
    return f"`{inline(text.replace('`', 'ˋ'), max_chars=max_chars)}`"


def image_code(name: str, *, max_chars: int = 120) -> str:
    """An image's name or version. If too long, the repository is cut, never the tag or digest."""
    folder, slash, last = name[:MAX_IMAGE_CHARS].rpartition("/")
    if len(folder) + len(last) + 1 > max_chars and slash:
        kept = folder[: max(max_chars - len(last) - 2, MIN_FOLDER_CHARS)]
        folder = kept if kept == folder else f"{kept}…"
    return code(f"{folder}{slash}{last}", max_chars=MAX_IMAGE_CHARS)


def missing_text(missing: Missing, texts: Texts) -> str:
    """Why a part of the evidence is missing."""
    return texts(f"evidence.why.{missing.reason}")


def change_text(change: Change, texts: Texts, *, several: bool, max_chars: int = 60) -> str:
    """One change. `several` containers: names the container."""
    words = _change(change, texts, max_chars)
    return f"{inline(change.container, max_chars=40)}: {words}" if several and change.container else words


def _change(change: Change, texts: Texts, max_chars: int) -> str:
    name = code(change.name, max_chars=max_chars)
    before, after = (_value(change.part, value, max_chars) for value in (change.before, change.after))
    match change.part:
        case ChangedPart.IMAGE:
            plain = change.name.replace("*", "").replace("`", "")
            return f"*{inline(plain, max_chars=max_chars)}* {before} → {after}"
        case ChangedPart.CONTAINER | ChangedPart.VARIABLE | ChangedPart.SECRET:
            return texts(f"evidence.change.{change.part}.{change.kind}", name=name)
        case ChangedPart.PORTS if change.before is None and change.after is None:
            return texts("evidence.change.ports_hidden")
        case ChangedPart.COMMAND if change.name == "entryPoint":
            return texts("evidence.change.entry_point")
        case _:
            parts = inline(change.name, max_chars=max_chars)
            return texts(f"evidence.change.{change.part}", before=before, after=after, name=name, parts=parts)


def _value(part: ChangedPart, value: str | None, max_chars: int) -> str:
    if part is ChangedPart.IMAGE and value:
        return image_code(value, max_chars=max_chars)
    if part is ChangedPart.ROLE:
        return role_name(value)
    if part is ChangedPart.MEMORY:
        return memory_text(value)
    return code(value, max_chars=max_chars) if value else NOTHING


def memory_text(memory: str | None) -> str:
    """ECS counts in MiB without a unit."""
    if not memory:
        return NOTHING
    return code(f"{memory} MiB" if memory.isdigit() else memory)


def role_name(arn: str | None) -> str:
    """The last part of a role's ARN."""
    return code(arn.rpartition("role/")[2]) if arn else NOTHING


def links(commits: Commits, texts: Texts) -> list[str]:
    """To the commits between, and to the run that deployed. Their parts have GitHub's own shape."""
    found = []
    if commits.compare_url:
        label = "evidence.compare" if "/compare/" in commits.compare_url else "evidence.commit"
        found.append(f"<{commits.compare_url}|{texts(label)}>")
    if commits.run_url:
        found.append(f"<{commits.run_url}|{texts('evidence.run', number=commits.run)}>")
    return found


def commit_code(commits: Commits) -> list[str]:
    """Green's commit; empty if nothing names it."""
    return [code(commits.new[:SHORT_SHA_CHARS])] if commits.new else []


def commit_text(commits: Commits, texts: Texts) -> str | None:
    """The commits of blue and green; None if no tag, image or description names them."""
    if commits.new is None:
        return None
    new = code(commits.new[:SHORT_SHA_CHARS])
    if commits.old is None or commits.old == commits.new:
        return texts("evidence.new_commit", new=new)
    return texts("evidence.commits", old=code(commits.old[:SHORT_SHA_CHARS]), new=new)
