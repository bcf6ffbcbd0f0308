"""Creates folders and files that no other user of this machine can enter, read or prepare."""

import os
import stat
from collections.abc import Collection
from pathlib import Path


class UnsafePath(Exception):
    """Something of that name exists already and belongs to another user, or is no folder; the message says which."""


def make_folder(folder: Path, *, mode: int, owners: Collection[int]) -> None:
    """Makes the folder, or gives one that is there this mode. Raises `UnsafePath` where that one is a symbolic link, no
    folder, or belongs to none of `owners`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=mode)
    except FileExistsError:
        found = folder.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise UnsafePath(f"{folder} is a symbolic link") from None
        if not stat.S_ISDIR(found.st_mode):
            raise UnsafePath(f"{folder} is no folder") from None
        if found.st_uid not in owners:
            raise UnsafePath(f"{folder} belongs to user {found.st_uid}") from None
    folder.chmod(mode)


def open_log(file: Path) -> int:
    """A descriptor that appends, of a file that its owner alone may read. Follows no symbolic link."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def replace_file(file: Path, text: str, *, owner: tuple[int, int] | None) -> bool:
    """Gives the file this text, owner (uid, gid) and mode 0600; False where it had the text.

    A symbolic link of that name is replaced, not followed.
    """
    if not file.is_symlink() and file.exists() and file.read_text(encoding="utf-8", errors="replace") == text:
        return False
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        if owner is not None:
            os.fchown(descriptor, *owner)
        out.write(text)
    part.replace(file)
    return True
