"""What hub and provisioner note is in the database once, and a line that is cut or wrong costs nothing else."""

import json
from dataclasses import asdict
from pathlib import Path

from mlinfn_condor.accounting import journals
from mlinfn_condor.hub import journal
from mlinfn_condor.provisioning.journal import Happening, Journal
from mlinfn_condor.store import connect, migrate

READY = journal.Start(1764000000.5, "carol", "", "alpha", "A100", "interactive@1.0", 1764000005.25, "ready", "")
FAILED = journal.Start(1764000100.0, "bob", 'od"d', "", "", "", None, "failed", "no slot\nhas it")


def read(dsn: str, file: Path, kind: journals.Kind = journals.STARTS) -> int:
    with connect(dsn, autocommit=True) as connection:
        return journals.read(connection, file, kind)


def test_each_start_is_stored_once_with_what_its_user_saw(database: str, tmp_path: Path) -> None:
    migrate(database)
    assert read(database, tmp_path / journal.FILE) == 0
    journal.note(tmp_path, READY)
    assert read(database, tmp_path / journal.FILE) == 1
    journal.note(tmp_path, FAILED)
    assert read(database, tmp_path / journal.FILE) == 1
    assert read(database, tmp_path / journal.FILE) == 0
    with connect(database) as connection:
        rows = connection.execute(
            "SELECT username, server, outcome, reason, extract(epoch FROM ready_at - clicked_at)::float8 "
            "FROM mlinfn.spawn ORDER BY clicked_at"
        ).fetchall()
    assert rows == [("carol", "", "ready", "", 4.75), ("bob", 'od"d', "failed", "no slot\nhas it", None)]


def test_a_line_that_is_being_written_waits_and_a_wrong_one_is_kept_aside(database: str, tmp_path: Path) -> None:
    migrate(database)
    file = tmp_path / journal.FILE
    whole = json.dumps(asdict(READY))
    file.write_text(f"not json\n{whole[:20]}")
    assert read(database, file) == 0
    with file.open("a") as stream:
        stream.write(f"{whole[20:]}\n")
    assert read(database, file) == 1
    with connect(database) as connection:
        assert connection.execute("SELECT record, at_byte FROM mlinfn.refused_record").fetchall() == [("not json\n", 0)]


def test_each_event_of_a_glidein_is_stored_once(database: str, tmp_path: Path) -> None:
    migrate(database)
    file = tmp_path / "log" / "glideins.jsonl"
    provisioner = Journal(file)
    provisioner.note(Happening(1764000000.5, "asked", "t4-1", "for 1 batch job"))
    assert read(database, file, journals.EVENTS) == 1
    provisioner.note(Happening(1764000009.0, "joined", "t4-1", "its slots are in the collector"))
    assert read(database, file, journals.EVENTS) == 1
    assert read(database, file, journals.EVENTS) == 0
    with connect(database) as connection:
        rows = connection.execute("SELECT kind, subject, detail FROM mlinfn.event ORDER BY at").fetchall()
    assert rows == [
        ("glidein asked", "t4-1", "for 1 batch job"),
        ("glidein joined", "t4-1", "its slots are in the collector"),
    ]
