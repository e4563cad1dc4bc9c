"""What goes away and comes back: keys, provider, database, front end, the line. Nothing is lost, nothing doubled."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fronts import as_rest, front
from postgres import fresh_database, server_in, short_folder, wait_until, without_sync

from mlinfn_condor.bench.instruments import Provider, Serving, declared, provider, site_file
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.ingestion import keys, retaining
from mlinfn_condor.ingestion.settings import Ingestion
from mlinfn_condor.store import Connection, connect
from mlinfn_condor.store.local import LocalServer

SECONDS = 30


@dataclass
class Stand:
    dsn: str
    file: Path
    settings: Ingestion
    tokens: Provider
    owner: Connection
    folder: Path

    def bearer(self, **changed: object) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens.token('radon-stations', **changed)}"}

    def rows(self) -> int:
        return int(self.owner.execute("SELECT count(*) FROM api.reading").fetchone()[0])

    def send(
        self, *words: str, file: Path, url: str, table: str = "reading", stdin: str = ""
    ) -> subprocess.CompletedProcess:
        (self.folder / "token").write_text(self.tokens.token("radon-stations", "muon-telescopes"))
        given = [
            "ingest",
            "send",
            str(file),
            "--table",
            table,
            "--url",
            url,
            "--token-file",
            str(self.folder / "token"),
        ]
        given += ["--spool", str(self.folder / "spool.sqlite"), *words]
        command = [sys.executable, "-m", "mlinfn_condor.cli", *given]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def stand(postgres: LocalServer, tmp_path: Path) -> Iterator[Stand]:
    with provider() as tokens, fresh_database(postgres) as dsn:
        file = site_file(tmp_path, tokens.issuer)
        settings = declared(dsn, file)
        with connect(dsn, autocommit=True) as owner:
            yield Stand(dsn, file, settings, tokens, owner, tmp_path)


def many(count: int, station: int = 1) -> list[dict[str, object]]:
    return [{"station": station, "taken_at": f"2026-01-01T00:00:00.{n:06}Z", "becquerel_m3": n} for n in range(count)]


def test_keys_are_exchanged_while_it_runs(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PAUSE_SECONDS", 0)
    with front(stand.settings, stand.dsn) as address:
        before = stand.bearer()
        assert httpx.get(f"{address}/reading", headers=before).status_code == 200
        stand.tokens.rotate("second", elliptic=True)
        assert httpx.get(f"{address}/reading", headers=stand.bearer()).status_code == 200
        withdrawn = httpx.get(f"{address}/reading", headers=before)
        assert (withdrawn.status_code, withdrawn.json()["code"]) == (401, "PGRST301")


def test_a_provider_that_is_down_stops_nobody_whose_key_is_known(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    with front(stand.settings, stand.dsn) as address:
        stand.tokens.is_away = True
        early = httpx.get(f"{address}/reading", headers=stand.bearer())
        assert (early.status_code, early.headers["retry-after"]) == (503, "5")
        monkeypatch.setattr(keys, "PAUSE_SECONDS", 0)
        stand.tokens.is_away = False
        assert httpx.get(f"{address}/reading", headers=stand.bearer()).status_code == 200
        stand.tokens.is_away = True
        monkeypatch.setattr(keys, "OLD_SECONDS", 0)
        assert httpx.post(f"{address}/reading", json=many(1), headers=stand.bearer()).status_code == 201
        stand.tokens.rotate("third")
        assert httpx.get(f"{address}/reading", headers=stand.bearer()).status_code == 503


def test_names_of_keys_that_nobody_has_do_not_reach_the_provider_each_time(stand: Stand) -> None:
    with front(stand.settings, stand.dsn) as address:
        httpx.get(f"{address}/reading", headers=stand.bearer())
        asked = stand.tokens.asked
        for n in range(20):
            token = stand.tokens.token("radon-stations", headers={"kid": f"made-up-{n}"})
            assert httpx.get(f"{address}/reading", headers={"Authorization": f"Bearer {token}"}).status_code == 401
        assert stand.tokens.asked - asked <= 2


def test_clocks_may_differ_a_little(stand: Stand) -> None:
    with front(stand.settings, stand.dsn) as address:
        now = stand.tokens.claims()["iat"]
        for changed, status in (
            ({"exp": now - 30}, 200),
            ({"nbf": now + 30, "iat": now + 30}, 200),
            ({"exp": now - 90}, 401),
        ):
            assert httpx.get(f"{address}/reading", headers=stand.bearer(**changed)).status_code == status


def test_a_database_that_goes_away_is_told_of_and_used_again_once_it_is_back(tmp_path: Path) -> None:
    with provider() as tokens, short_folder() as folder, server_in(folder / "database") as server:
        without_sync(server).up(SilentReport())
        settings = declared(server.dsn, site_file(tmp_path, tokens.issuer))
        bearer = {"Authorization": f"Bearer {tokens.token('radon-stations')}"}
        with front(settings, server.dsn) as address:
            assert httpx.post(f"{address}/reading", json=many(3), headers=bearer).status_code == 201
            server.down()
            for _ in range(2):
                gone = httpx.post(f"{address}/reading", json=many(3, station=2), headers=bearer)
                assert (gone.status_code, gone.headers["retry-after"]) == (503, "5")
                assert gone.json().keys() == {"code", "message", "details", "hint"}
            server.up(SilentReport())
            assert httpx.post(f"{address}/reading", json=many(3, station=2), headers=bearer).status_code == 201
            assert len(httpx.get(f"{address}/reading", headers=bearer).json()) == 6


def test_a_front_end_that_is_killed_in_a_bulk_leaves_nothing_of_it_and_the_same_bulk_may_come_again(
    stand: Stand,
) -> None:
    serving = Serving(stand.file, as_rest(stand.dsn))
    again = stand.bearer() | {"Prefer": "resolution=ignore-duplicates"}

    def post(address: str) -> int:
        try:
            return httpx.post(f"{address}/reading", json=many(5000), headers=again, timeout=SECONDS).status_code
        except httpx.HTTPError:
            return 0

    stand.owner.execute("BEGIN; LOCK TABLE api.reading IN SHARE MODE")
    told: list[int] = []
    sending = threading.Thread(target=lambda: told.append(post(serving.address)))
    sending.start()
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'mlinfn ingest'"
    )
    with connect(stand.dsn, autocommit=True) as watch:
        wait_until(lambda: watch.execute(waits).fetchone()[0], SECONDS, "the insert waits for the lock")
        serving.end(kill=True)
        sending.join(SECONDS)
        stand.owner.execute("COMMIT")
        here = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlinfn ingest'"
        wait_until(lambda: not watch.execute(here).fetchone()[0], SECONDS, "its connections end")
    assert (told, stand.rows()) == ([0], 0)
    with front(stand.settings, stand.dsn) as address:
        assert post(address) == 201
        assert stand.rows() == 5000
        assert post(address) == 200
        assert stand.rows() == 5000


def test_rows_that_are_too_old_go(stand: Stand) -> None:
    with front(stand.settings, stand.dsn) as address:
        httpx.post(f"{address}/reading", json=many(5), headers=stand.bearer())
    stand.owner.execute("UPDATE api.reading SET received_at = now() - interval '366 days' WHERE becquerel_m3 < 2")
    assert retaining.forget(stand.owner) == {"reading": 2}
    assert stand.rows() == 3


def test_a_file_is_sent_once_however_often_it_is_sent_and_may_grow(stand: Stand) -> None:
    file = stand.folder / "readings.jsonl"
    lines = [json.dumps(one) for one in many(2500)]
    file.write_text("\n".join(lines[:2000]) + "\n")
    offline = stand.send("--patience", "0", file=file, url="http://127.0.0.1:9")
    assert (offline.returncode, "2000 rows wait on this disk" in offline.stderr) == (1, True)
    with front(stand.settings, stand.dsn) as address:
        assert "2000 rows sent" in stand.send("--project", "radon", file=file, url=address).stdout
        file.write_text("\n".join(lines) + "\n")
        assert "500 rows sent" in stand.send("--project", "radon", file=file, url=address).stdout
        (stand.folder / "spool.sqlite").unlink()
        assert stand.send("--project", "radon", file=file, url=address).returncode == 0
    assert stand.rows() == 2500


def test_whoever_is_in_several_projects_says_which_and_no_row_is_blamed_for_it(stand: Stand) -> None:
    file = stand.folder / "readings.jsonl"
    file.write_text(json.dumps(many(1)[0]))
    with front(stand.settings, stand.dsn) as address:
        refused = stand.send(file=file, url=address)
        assert "Say which with the header X-Mlinfn-Project: muon, radon.; 1 rows wait on this disk" in refused.stderr
        assert "1 rows sent" in stand.send("--project", "radon", file=file, url=address).stdout


def test_a_row_that_nobody_can_take_holds_nothing_up_and_is_kept_with_its_reason(stand: Stand) -> None:
    file = stand.folder / "readings.csv"
    file.write_text(
        "station,taken_at,note\n1,2026-01-01T00:00:00Z,a\nx,2026-01-01T00:00:00Z,b\n3,2026-01-01T00:00:00Z,c\n"
    )
    with front(stand.settings, stand.dsn) as address:
        done = stand.send("--project", "radon", file=file, url=address)
    assert "2 rows sent; 1 refused for good" in done.stdout
    assert stand.rows() == 2


def test_a_client_that_is_killed_while_it_sends_loses_nothing_and_sends_nothing_twice(stand: Stand) -> None:
    """Into a table without a key: the rows' own names alone keep them apart."""
    (stand.folder / "token").write_text(stand.tokens.token("muon-telescopes"))
    (stand.folder / "tracks.jsonl").write_text("".join(f'{{"angle": {n}}}\n' for n in range(20_000)))
    with front(stand.settings, stand.dsn) as address:
        words = ["ingest", "send", "tracks.jsonl", "--table", "track", "--url", address, "--token-file", "token"]
        command = [sys.executable, "-m", "mlinfn_condor.cli", *words, "--spool", "spool.sqlite"]
        count = "SELECT count(*), count(DISTINCT angle) FROM api.track"
        for least in (1, 5000):
            with subprocess.Popen(command, cwd=stand.folder) as client:
                wait_until(lambda: stand.owner.execute(count).fetchone()[0] >= least, SECONDS, "some")  # noqa: B023
                client.send_signal(signal.SIGKILL)
        assert subprocess.run(command, cwd=stand.folder, check=False, timeout=60).returncode == 0
    assert stand.owner.execute(count).fetchone() == (20_000, 20_000)


def test_a_stream_is_kept_while_the_site_is_away_and_sent_when_it_is_back(stand: Stand) -> None:
    (stand.folder / "token").write_text(stand.tokens.token("radon-stations"))
    serving = Serving(stand.file, as_rest(stand.dsn))
    port = int(serving.address.rpartition(":")[2])
    words = ["ingest", "send", "-", "--table", "reading", "--url", serving.address, "--token-file", "token"]
    command = [sys.executable, "-m", "mlinfn_condor.cli", *words, "--spool", "spool.sqlite", "--patience", "20"]
    with subprocess.Popen(command, cwd=stand.folder, stdin=subprocess.PIPE, text=True) as client:
        assert client.stdin is not None

        def say(station: int) -> None:
            client.stdin.write("".join(json.dumps(one) + "\n" for one in many(10, station)))
            client.stdin.flush()

        say(1)
        wait_until(lambda: stand.rows() == 10, SECONDS, "the first ten")
        serving.end(kill=True)
        say(2)
        serving = Serving(stand.file, as_rest(stand.dsn), port)
        say(3)
        client.stdin.close()
        assert client.wait(SECONDS) == 0
    serving.end()
    assert stand.rows() == 30
