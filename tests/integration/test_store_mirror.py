"""A main PostgreSQL follows a site's: two real servers, either of which may go away."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from postgres import fresh_database, server_in, short_folder, wait_until, without_sync
from psycopg.conninfo import make_conninfo

from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.store import MirrorFailed, StoreUnreachable, connect, migrate
from mlinfn_condor.store.local import LocalServer
from mlinfn_condor.store.local import server as local_server
from mlinfn_condor.store.mirror import Mirror, mirror, mirrors, remove

SCHEMA = """
CREATE TABLE mlinfn.device (name text PRIMARY KEY, model text);
INSERT INTO mlinfn.device VALUES ('gpu-0', 'T4');
CREATE TABLE mlinfn.attempt (began_at timestamptz, job text, seconds integer, PRIMARY KEY (began_at, job))
    PARTITION BY RANGE (began_at);
CREATE TABLE mlinfn.attempt_2026_11 PARTITION OF mlinfn.attempt FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
"""
ATTEMPTS = "INSERT INTO mlinfn.attempt SELECT '2026-11-01', 'job-' || n, n FROM generate_series(%s::int, %s::int) AS n"
SECONDS = 60
SOCKET = ".s.PGSQL.5432"


@pytest.fixture(scope="module", params=[("system", "wheel"), ("wheel", "wheel")], ids=["older site", "same version"])
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[LocalServer, LocalServer]]:
    """The site's server and the main one, up."""
    site, main = request.param
    with (
        short_folder() as folder,
        server_in(folder / "site", site) as site_server,
        server_in(folder / "main", main) as main_server,
    ):
        for server in (site_server, main_server):
            without_sync(server)
            with server.layout.own_settings.open("a") as settings:
                settings.write("wal_retrieve_retry_interval = '200ms'\n")  # A mirror tries again, the tests don't wait.
            server.up(SilentReport())
        yield site_server, main_server


class Pair:
    """The site's database and the main one."""

    def __init__(self, site: str, main: str, folder: Path) -> None:
        self.site, self.main, self.folder = site, main, folder

    def mirror(self, **how) -> str:
        return mirror(self.site, self.main, "bari", folder=self.folder, **how)

    def record(self, first: int, last: int) -> None:
        with connect(self.site) as connection:
            connection.execute(ATTEMPTS, (first, last))

    def change(self, statement: str) -> None:
        with connect(self.site) as connection:
            connection.execute(statement)

    def rows(self, dsn: str, table: str) -> list[tuple]:
        with connect(dsn) as connection:
            return connection.execute(f"SELECT * FROM mlinfn.{table} ORDER BY 1, 2").fetchall()

    def agree(self, *tables: str) -> bool:
        return all(self.rows(self.site, table) == self.rows(self.main, table) for table in tables)

    def wait_until_they_agree(self, *tables: str) -> None:
        wait_until(lambda: self.agree(*(tables or ("device", "attempt"))), SECONDS, "the main database has the rows")

    def state(self) -> Mirror:
        with connect(self.site) as connection:
            (found,) = mirrors(connection)
        return found


class Wire:
    """What `ssh -R` does for a private server: its socket appears in a folder of the main server's machine."""

    def __init__(self, here: Path, there: Path) -> None:
        self._here, self._there = here / SOCKET, there / SOCKET
        self._open: list[socket.socket] = []

    def __enter__(self) -> "Wire":
        self.mend()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def mend(self) -> None:
        self._here.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self._here))
        listening.listen()
        self._open.append(listening)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # The wire was cut.
            while True:
                near, _ = listening.accept()
                far = socket.socket(socket.AF_UNIX)
                self._open += [near, far]
                far.connect(str(self._there))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def pair(servers: tuple[LocalServer, LocalServer], tmp_path: Path) -> Iterator[Pair]:
    site, main = servers
    (tmp_path / "0001-make-schema.sql").write_text(SCHEMA)
    with fresh_database(site) as site_dsn, fresh_database(main) as main_dsn:
        migrate(site_dsn, tmp_path)
        made = Pair(site_dsn, main_dsn, tmp_path)
        yield made
        for server in servers:
            server.up(SilentReport())
        remove(site_dsn, main_dsn, "bari")


def test_rows_from_before_and_after_appear_and_changes_too(pair: Pair) -> None:
    pair.record(1, 1000)
    assert pair.mirror() == "mlinfn_bari"
    pair.wait_until_they_agree()
    pair.record(1001, 2000)
    pair.change("UPDATE mlinfn.attempt SET seconds = 7 WHERE job = 'job-5'")
    pair.change("DELETE FROM mlinfn.attempt WHERE job = 'job-6'")
    pair.change("INSERT INTO mlinfn.device VALUES ('gpu-1', 'A100')")
    pair.wait_until_they_agree()
    assert len(pair.rows(pair.main, "attempt")) == 1999
    assert pair.rows(pair.main, "migration")[0][1] == "0001-make-schema.sql"


def test_twice_is_as_good_as_once(pair: Pair) -> None:
    pair.mirror()
    pair.record(1, 10)
    pair.mirror()
    pair.record(11, 20)
    pair.wait_until_they_agree()


def test_while_the_main_server_is_away_nothing_is_lost_and_the_site_says_so(
    pair: Pair, servers: tuple[LocalServer, LocalServer]
) -> None:
    pair.mirror()
    pair.wait_until_they_agree()
    assert servers[1].down()
    wait_until(lambda: not pair.state().active, SECONDS, "the site misses its mirror")
    pair.record(1, 20_000)
    away = pair.state()
    assert away.kept_bytes >= away.behind_bytes > 1_000_000
    assert "nothing is lost" in (away.warning() or "")
    servers[1].up(SilentReport())
    pair.wait_until_they_agree()
    wait_until(lambda: pair.state().active and pair.state().warning() is None, SECONDS, "the site sees its mirror")


def test_after_a_kill_of_both_servers_nothing_is_lost_nor_twice(
    pair: Pair, servers: tuple[LocalServer, LocalServer]
) -> None:
    pair.mirror()
    pair.record(1, 5000)
    for server in servers:
        os.kill(server.running() or 0, signal.SIGKILL)
    servers[0].up(SilentReport())
    pair.record(5001, 6000)
    servers[1].up(SilentReport())
    pair.wait_until_they_agree()


def test_a_main_server_that_hangs_does_not_keep_the_site_from_going_down(
    pair: Pair, servers: tuple[LocalServer, LocalServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_server, "STOP_SECONDS", 1)
    pair.mirror()
    pair.wait_until_they_agree()
    with connect(pair.main) as connection:
        found = connection.execute("SELECT pid FROM pg_stat_subscription WHERE pid IS NOT NULL").fetchall()
    for (pid,) in found:
        os.kill(pid, signal.SIGSTOP)
    try:
        pair.record(1, 1000)
        assert servers[0].down()
        assert servers[0].running() is None
    finally:
        for (pid,) in found:
            os.kill(pid, signal.SIGCONT)
    servers[0].up(SilentReport())
    pair.wait_until_they_agree()


def test_a_new_table_and_a_new_partition_are_taken_up_by_the_next_mirror(pair: Pair) -> None:
    pair.mirror()
    (pair.folder / "0002-make-samples.sql").write_text("CREATE TABLE mlinfn.sample (id int PRIMARY KEY, watts real);")
    pair.change(
        "CREATE TABLE mlinfn.attempt_2026_12 PARTITION OF mlinfn.attempt "
        "FOR VALUES FROM ('2026-12-01') TO ('2027-01-01')"
    )
    pair.mirror()  # First the main server, as the document says, then the site, then what is new there.
    migrate(pair.site, pair.folder)
    pair.change("INSERT INTO mlinfn.sample VALUES (1, 70)")
    pair.change("INSERT INTO mlinfn.attempt VALUES ('2026-12-05', 'job', 1)")
    pair.mirror()
    pair.wait_until_they_agree("sample", "attempt", "attempt_2026_12")


def test_rows_outside_every_partition_of_the_main_server_are_kept_and_hinder_nothing(pair: Pair) -> None:
    pair.mirror()
    pair.change(
        "CREATE TABLE mlinfn.attempt_2027 PARTITION OF mlinfn.attempt FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')"
    )
    pair.change("INSERT INTO mlinfn.attempt VALUES ('2027-03-01', 'job', 1)")
    pair.wait_until_they_agree()
    pair.mirror()
    pair.change("INSERT INTO mlinfn.attempt VALUES ('2027-03-02', 'job', 1)")
    pair.wait_until_they_agree()


def test_taken_down_nothing_stays_but_the_rows(pair: Pair) -> None:
    pair.mirror()
    pair.record(1, 10)
    pair.wait_until_they_agree()
    assert remove(pair.site, pair.main, "bari")
    assert not remove(pair.site, pair.main, "bari")
    with connect(pair.site) as connection:
        assert mirrors(connection) == []
        assert connection.execute("SELECT * FROM pg_publication").fetchall() == []
    assert len(pair.rows(pair.main, "attempt")) == 10


def test_rows_of_the_main_server_are_replaced_only_when_somebody_says_so(pair: Pair) -> None:
    pair.mirror()
    pair.record(1, 10)
    pair.wait_until_they_agree()
    remove(pair.site, pair.main, "bari")
    with pytest.raises(MirrorFailed, match=r'rows in .*"attempt".*--replace'):
        pair.mirror()
    assert len(pair.rows(pair.main, "attempt")) == 10
    pair.change("DELETE FROM mlinfn.attempt WHERE job = 'job-1'")
    pair.mirror(replace=True)
    pair.wait_until_they_agree()


def test_a_main_server_that_is_gone_for_good_is_forgotten_by_the_site_alone(
    pair: Pair, servers: tuple[LocalServer, LocalServer]
) -> None:
    pair.mirror()
    servers[1].down()
    with pytest.raises(StoreUnreachable):
        remove(pair.site, pair.main, "bari")
    assert pair.state().slot == "mlinfn_bari"
    assert remove(pair.site, None, "bari")
    with connect(pair.site) as connection:
        assert mirrors(connection) == []


def test_a_slot_that_went_missing_is_never_made_anew_in_silence(pair: Pair) -> None:
    pair.mirror()
    pair.wait_until_they_agree()
    assert remove(pair.site, None, "bari")  # As if somebody had dropped it: the main server still follows.
    with pytest.raises(MirrorFailed, match=r"slot mlinfn_bari is gone and changes with it.*--remove.*--replace"):
        pair.mirror()
    remove(pair.site, pair.main, "bari")
    pair.mirror(replace=True)
    pair.wait_until_they_agree()


def test_a_second_main_server_for_the_same_site_is_refused(
    pair: Pair, servers: tuple[LocalServer, LocalServer]
) -> None:
    pair.mirror()
    with fresh_database(servers[1]) as other, pytest.raises(MirrorFailed, match="already has a mirror elsewhere"):
        mirror(pair.site, other, "bari", folder=pair.folder)


def test_a_site_that_the_main_server_cannot_reach_is_told_and_the_next_try_goes_on(pair: Pair) -> None:
    pair.record(1, 10)
    with pytest.raises(MirrorFailed, match=r"does not reach the site's database \(see --reached-as\)") as caught:
        pair.mirror(reached_as="host=/nowhere dbname=mlinfn")
    assert "\n" not in str(caught.value)
    pair.mirror()
    pair.wait_until_they_agree()


def test_a_forwarded_socket_is_a_way_to_the_site_and_a_cut_of_it_loses_nothing(
    pair: Pair, servers: tuple[LocalServer, LocalServer], tmp_path: Path
) -> None:
    with short_folder() as folder, Wire(folder, servers[0].layout.sockets) as wire:
        reached_as = make_conninfo(pair.site, host=str(folder))
        pair.mirror(reached_as=reached_as)
        pair.record(1, 100)
        pair.wait_until_they_agree()
        wire.cut()
        wait_until(lambda: not pair.state().active, SECONDS, "the site misses its mirror")
        pair.record(101, 200)
        wire.mend()
        pair.wait_until_they_agree()


def test_what_cannot_be_mirrored_is_refused_before_anything_is_done(pair: Pair) -> None:
    with pytest.raises(MirrorFailed, match="the same"):
        mirror(pair.site, pair.site, "bari", folder=pair.folder)
    pair.change("CREATE TABLE mlinfn.blind (value int)")
    with pytest.raises(MirrorFailed, match="without a primary key cannot be mirrored: blind"):
        pair.mirror()
    with connect(pair.main) as connection:
        assert connection.execute("SELECT to_regnamespace('mlinfn')").fetchone() == (None,)
