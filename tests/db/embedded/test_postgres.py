"""The embedded Postgres: shared, adopted, killed, and never two servers on one folder."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from app.db.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, default_folder, temporary_folder

SHARED = """
import sys
from pathlib import Path
from app.db.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.url, flush=True)
sys.stdin.readline()
server.stop()
"""
HEAVY = "SELECT count(*) FROM generate_series(1, 2000000000)"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where nobody may enter too, and no server is left behind."""
    with temporary_folder("switchgate-embedded-") as made:
        yield made
        with suppress(OSError, ValueError, ProcessLookupError):
            os.kill(_postmaster(made), signal.SIGKILL)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """One that loses nothing when it is killed."""
    started = EmbeddedPostgres(folder)
    started.start()
    yield started
    started.stop()


class Other:
    """A process of its own that starts, or attaches to, the server on `folder`."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SHARED, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def leave(self) -> int:
        self._process.communicate("\n", timeout=60)
        return self._process.returncode

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=60)


def _postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])


def _until(predicate: Callable[[], object]) -> None:
    end = time.monotonic() + 40
    while not predicate():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def _write(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (what text); INSERT INTO kept VALUES ('a decision')")


def _read(url: str) -> list[tuple[str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT what FROM kept").fetchall()


def test_what_was_written_survives_a_restart(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    _write(server)
    server.stop()
    with pytest.raises(psycopg.OperationalError):
        _read(server.url)

    again = EmbeddedPostgres(folder)
    again.start()
    assert _read(again.url) == [("a decision",)]
    again.stop()


def test_a_second_process_attaches_and_leaves_the_server_running(
    folder: Path, server: EmbeddedPostgres
) -> None:
    _write(server)
    other = Other(folder)
    assert _read(other.url()) == [("a decision",)]
    assert other.leave() == 0
    assert _read(server.url) == [("a decision",)]


def test_a_server_whose_owner_was_killed_is_adopted_and_stopped_by_the_next(folder: Path) -> None:
    owner = Other(folder)
    owner.url()
    pid = _postmaster(folder)
    owner.kill()

    adopter = EmbeddedPostgres(folder, durable=False)
    adopter.start()
    assert _postmaster(folder) == pid
    _write(adopter)
    adopter.stop()
    assert not (folder / "data" / "postmaster.pid").exists()


def test_a_killed_postmaster_comes_back_with_its_data(folder: Path, server: EmbeddedPostgres) -> None:
    _write(server)
    os.kill(_postmaster(folder), signal.SIGKILL)

    server.start()

    assert _read(server.url) == [("a decision",)]


def test_no_second_server_starts_while_an_orphan_of_a_killed_one_works_on_the_data(
    folder: Path, server: EmbeddedPostgres
) -> None:
    busy = psycopg.connect(server.url)
    working = threading.Thread(target=_work, args=(busy,), daemon=True)
    working.start()
    orphan = busy.info.backend_pid
    _until(lambda: _is_active(server.url, orphan))
    os.kill(_postmaster(folder), signal.SIGKILL)

    with ThreadPoolExecutor(1) as starter:
        started = starter.submit(server.start)
        _until(
            lambda: "pre-existing shared memory" in (folder / "postgres.log").read_text() or started.done()
        )
        assert not started.done()
        os.kill(orphan, signal.SIGKILL)
        started.result(60)
    working.join(10)
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_recovers_from_a_crash_is_waited_for(folder: Path, server: EmbeddedPostgres) -> None:
    """A backend was killed: the postmaster restarts by itself, and says no to everybody meanwhile."""
    _write(server)
    pid = _postmaster(folder)
    with psycopg.connect(server.url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)

    EmbeddedPostgres(folder, durable=False).start()

    assert _postmaster(folder) == pid
    _until(lambda: _answers(server.url))


@pytest.mark.parametrize("account", ["root", "nobody"])
def test_a_stale_pid_file_that_names_a_living_stranger_is_seen_through(folder: Path, account: str) -> None:
    """Its pid was used again, by somebody else's process or by one of Postgres's own user."""
    if os.geteuid() != 0 and account != "root":
        pytest.skip("only root can start a process as somebody else")
    first = EmbeddedPostgres(folder, durable=False)
    first.start()
    first.stop()
    who = {"user": account} if os.geteuid() == 0 else {}
    stranger = subprocess.Popen(["sleep", "600"], **who)  # type: ignore[call-overload]
    stale = f"{stranger.pid}\n{folder / 'data'}\n1700000000\n5432\n{folder}\n\n0 0\nready\n"
    (folder / "data" / "postmaster.pid").write_text(stale)
    (folder / "socket" / ".s.PGSQL.5432.lock").write_text(stale)

    again = EmbeddedPostgres(folder, durable=False)
    again.start()
    assert _postmaster(folder) != stranger.pid
    assert stranger.poll() is None
    again.stop()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_two_that_start_at_once_share_one_server(folder: Path) -> None:
    both = [Other(folder), Other(folder)]
    urls = {other.url() for other in both}
    assert len(urls) == 1
    with psycopg.connect(urls.pop()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    ends = sorted(other.leave() for other in both)
    assert ends == [0, 0]
    assert not (folder / "data" / "postmaster.pid").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to nobody")
def test_root_is_told_which_folder_is_closed_to_nobody(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match=f"may not enter {closed}.*DATABASE_URL"):
        EmbeddedPostgres(closed / "postgres").start()


def test_what_a_killed_first_start_left_half_made_is_made_anew(folder: Path) -> None:
    half = folder / "data.part"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    _write(server)
    assert not half.exists()
    server.stop()


def test_a_folder_that_is_no_database_is_refused_with_postgres_own_words(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedPostgresError, match="did not start"):
        EmbeddedPostgres(folder, durable=False).start()


def test_a_long_path_still_has_a_socket(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    server = EmbeddedPostgres(deep, durable=False)
    server.start()
    _write(server)
    assert _read(server.url) == [("a decision",)]
    server.stop()


def test_one_knows_whether_there_is_anything_to_read_without_making_it(folder: Path) -> None:
    inner = folder / "postgres"
    server = EmbeddedPostgres(inner)
    assert not server.is_initialised()
    assert not inner.exists()

    server.start()
    server.stop()

    assert EmbeddedPostgres(inner).is_initialised()


def test_the_record_is_kept_where_the_machine_keeps_such_things() -> None:
    found = default_folder({"XDG_DATA_HOME": "/data", "HOME": "/home/ana"})
    expected = "/var/lib/switchgate/postgres" if os.geteuid() == 0 else "/data/switchgate/postgres"
    assert found == Path(expected)


def _work(busy: psycopg.Connection) -> None:
    with suppress(psycopg.Error):
        busy.execute(HEAVY)
    busy.close()


def _is_active(url: str, pid: int) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query = %s AND state = 'active'", [pid, HEAVY]
        )
        return found.fetchone() is not None


def _answers(url: str) -> bool:
    try:
        return _read(url) == [("a decision",)]
    except psycopg.OperationalError:
        return False
