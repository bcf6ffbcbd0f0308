"""The embedded Postgres on a machine with other users: none can connect to it, read its log or take its place."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from app.db.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, temporary_folder

OTHER_USER = 65533
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Which everybody may enter."""
    with temporary_folder("switchgate-private-") as made:
        yield made


@pytest.fixture
def deep(folder: Path) -> Iterator[Path]:
    """A folder whose path is too long for a socket, so that the socket is elsewhere."""
    long = folder / ("d" * 60) / ("e" * 60)
    yield long
    with suppress(OSError):
        shutil.rmtree(_sockets(EmbeddedPostgres(long)).parent)


def test_only_whoever_started_the_server_may_enter_its_folders(folder: Path) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    try:
        assert _mode(_sockets(server)) == 0o700
        assert _mode(folder / "data") == 0o700
        assert _mode(folder / "postgres.log") == 0o600
    finally:
        server.stop()


@needs_root
@pytest.mark.parametrize("database", ["switchgate", "postgres"])
def test_another_user_cannot_connect_even_where_the_folder_is_open(folder: Path, database: str) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    try:
        url = server.url.replace("/switchgate?", f"/{database}?")
        assert _connects_as_other(url) is False
        for part in (folder, _sockets(server), _sockets(server) / ".s.PGSQL.5432"):
            part.chmod(0o777)
        assert _connects_as_other(url) is False
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("switchgate",)
    finally:
        server.stop()


@needs_root
def test_another_user_cannot_read_the_log(folder: Path) -> None:
    (folder / "postgres.log").write_text("from an older release\n")
    (folder / "postgres.log").chmod(0o644)
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    server.stop()
    assert _as_other("cat", str(folder / "postgres.log")).returncode != 0


@needs_root
def test_a_socket_folder_that_another_user_made_first_is_refused(deep: Path) -> None:
    server = EmbeddedPostgres(deep, durable=False)
    assert _as_other("mkdir", "-p", "-m", "0777", str(_sockets(server))).returncode == 0
    with pytest.raises(EmbeddedPostgresError, match=f"belongs to user {OTHER_USER}.*DATABASE_URL"):
        server.start()
    assert _sockets(server).stat().st_uid == OTHER_USER


@needs_root
def test_a_symbolic_link_in_the_place_of_the_socket_folder_is_refused(deep: Path, folder: Path) -> None:
    server = EmbeddedPostgres(deep, durable=False)
    mine = folder / "mine"
    mine.mkdir(mode=0o700)
    assert _as_other("ln", "-s", str(mine), str(_sockets(server).parent)).returncode == 0
    try:
        with pytest.raises(EmbeddedPostgresError, match="is a symbolic link"):
            server.start()
        assert list(mine.iterdir()) == []
    finally:
        _sockets(server).parent.unlink()


@needs_root
def test_the_socket_folder_cannot_be_replaced_while_the_server_runs(deep: Path) -> None:
    server = EmbeddedPostgres(deep, durable=False)
    server.start()
    try:
        sockets = _sockets(server)
        assert _as_other("mv", str(sockets), f"{sockets}.away").returncode != 0
        assert _as_other("mv", str(sockets.parent), f"{sockets.parent}.away").returncode != 0
        assert _connects_as_other(server.url) is False
    finally:
        server.stop()


def test_data_of_an_older_release_is_restricted_at_the_next_start(folder: Path) -> None:
    first = EmbeddedPostgres(folder, durable=False)
    first.start()
    first.stop()
    _trust_everybody(folder)

    again = EmbeddedPostgres(folder, durable=False)
    again.start()
    try:
        assert _rules(again) == [("local", ["switchgate"], "peer")]
    finally:
        again.stop()


def test_a_running_server_of_an_older_release_is_restricted_when_it_is_shared(folder: Path) -> None:
    owner = EmbeddedPostgres(folder, durable=False)
    owner.start()
    try:
        _trust_everybody(folder)
        with psycopg.connect(owner.url, autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")

        EmbeddedPostgres(folder, durable=False).start()
        assert _rules(owner) == [("local", ["switchgate"], "peer")]
        if os.geteuid() == 0:
            for part in (folder, _sockets(owner), _sockets(owner) / ".s.PGSQL.5432"):
                part.chmod(0o777)
            assert _connects_as_other(owner.url) is False
    finally:
        owner.stop()


def _sockets(server: EmbeddedPostgres) -> Path:
    return Path(parse_qs(urlsplit(server.url).query)["host"][0])


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _trust_everybody(folder: Path) -> None:
    (folder / "data" / "pg_hba.conf").write_text("local all all trust\n")


def _rules(server: EmbeddedPostgres) -> list[tuple[str, list[str], str]]:
    with psycopg.connect(server.url) as connection:
        return connection.execute("SELECT type, user_name, auth_method FROM pg_hba_file_rules").fetchall()


def _as_other(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        user=OTHER_USER,
        group=OTHER_USER,
        extra_groups=(),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def _connects_as_other(url: str) -> bool:
    """Forked, not started anew: the other user may not enter the folder that Python is installed in."""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            os.setgroups([])
            os.setgid(OTHER_USER)
            os.setuid(OTHER_USER)
            psycopg.connect(url, connect_timeout=5).close()
            status = 0
        except psycopg.OperationalError:
            status = 1
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 1), "the attempt itself failed"
    return status == 0
