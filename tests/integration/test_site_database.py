"""The script that lets the database's roles in, on a real PostgreSQL."""

import os
import subprocess
from pathlib import Path

import pytest

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
    told = dict(rows)
    assert told["mlinfn_recorder"] is True
    assert told["mlinfn_reports"] is None  # no password was given for it
    assert "mlinfn_rest" not in told
    assert not (passwords / "owner.pgpass").exists()


def test_a_database_that_is_away_is_no_success(passwords):
    done = let_in("postgresql://mlinfn_owner@127.0.0.1:1/mlinfn?connect_timeout=2", passwords)
    assert done.returncode != 0
    assert "secret" not in done.stdout + done.stderr
