"""What a site's pods do with the database, on a real PostgreSQL: roles are let in, a recorder stands beside the hub."""

import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlinfn_condor.cli import app, connection
from mlinfn_condor.cli.connection import Connection
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.store import connect, migrate
from mlinfn_condor.store.local import programs

SCRIPT = Path(__file__).parents[2] / "kubernetes" / "database" / "let-roles-in"


@pytest.fixture
def passwords(tmp_path) -> Path:
    for role in ("owner", "recorder", "rest"):
        (tmp_path / role).write_text(f"*:*:*:mlinfn_{role}:secret'of-{role}\n")
    return tmp_path


def let_in(dsn: str, passwords: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"MLINFN_DATABASE": dsn, "MLINFN_PASSWORDS": str(passwords), "TMPDIR": str(passwords)} | more
    path = f"{programs.find().bin}:{os.environ['PATH']}"
    return subprocess.run(
        [SCRIPT], env=environment | {"PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )


def test_roles_that_are_there_get_their_passwords_again_and_again(database, passwords):
    migrate(database)
    for _ in range(2):
        done = let_in(database, passwords)
        assert (done.returncode, done.stderr) == (0, "")
    with connect(database) as connection:
        rows = connection.execute(
            "SELECT rolname, rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname LIKE 'mlinfn_re%'"
        ).fetchall()
    # No password was given for reports.
    assert dict(rows) == {"mlinfn_recorder": True, "mlinfn_rest": True, "mlinfn_reports": None}
    assert not (passwords / "owner.pgpass").exists()


def test_a_role_that_is_not_there_yet_is_passed_over(database, passwords):
    migrate(database)
    with connect(database, autocommit=True) as connection:
        connection.execute("ALTER ROLE mlinfn_rest RENAME TO mlinfn_elsewhere")
        try:
            done = let_in(database, passwords)
        finally:
            connection.execute("ALTER ROLE mlinfn_elsewhere RENAME TO mlinfn_rest")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_database_that_is_away_is_no_success(passwords):
    done = let_in("postgresql://mlinfn_owner@127.0.0.1:1/mlinfn?connect_timeout=2", passwords)
    assert done.returncode != 0
    assert "secret" not in done.stdout + done.stderr


def test_a_recorder_beside_the_hub_needs_no_histories(database, tmp_path, monkeypatch):
    migrate(database)
    monkeypatch.setenv("MLINFN_HOME", str(tmp_path / "nothing-here"))
    monkeypatch.setattr(connection, "connect", lambda: Connection(TwinPool(), tmp_path))
    (tmp_path / "starts.jsonl").write_text("")
    words = ["accounting", "record", "--once", "--dsn", database]
    assert "there is no embedded pool here" in str(CliRunner().invoke(app, words).exception)
    done = CliRunner().invoke(app, [*words, "--starts", str(tmp_path / "starts.jsonl")])
    assert (done.exception, done.exit_code) == (None, 0)
