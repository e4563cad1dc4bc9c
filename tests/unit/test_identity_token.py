"""`mlinfn identity token`: a token with a seal, its line in the list, and nothing secret on the terminal."""

import pytest
from typer.testing import CliRunner

from mlinfn_condor.cli.main import app
from mlinfn_condor.embedded import signing
from mlinfn_condor.errors import BadRequest


@pytest.fixture
def key(tmp_path):
    (made := tmp_path / "POOL").write_bytes(bytes(range(64)))
    return made


def run(key, name, *more):
    folder = key.parent
    where = [
        "--key",
        str(key),
        "--domain",
        "pool",
        "--into",
        str(folder / "tokens"),
        "--list",
        str(folder / "tokens.map"),
    ]
    return CliRunner().invoke(app, ["identity", "token", name, *where, *more])


def test_a_token_is_in_its_file_and_its_seal_in_the_list_once(key, tmp_path):
    for name in ("admin", "glidein", "admin"):
        done = run(key, name)
        assert done.exit_code == 0, done.output
        made = (tmp_path / "tokens" / name).read_text()
        assert made.strip() not in done.output
        assert signing.listed(made).split()[1] not in done.output
    lines = (tmp_path / "tokens.map").read_text().splitlines()
    assert [line.split()[2] for line in lines] == ["admin", "glidein"]
    assert lines[0] == f"* {signing.seal_of(key, 'admin')} admin"
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "tokens.map", tmp_path / "tokens" / "admin")}
    assert modes == {0o600}


@pytest.mark.parametrize("name", ["", "Admin", "a b", "../admin", "x\n* y"])
def test_what_is_no_identity_gets_none(key, name):
    assert isinstance(run(key, name).exception, BadRequest)
    assert not (key.parent / "tokens.map").exists()


def test_a_key_that_is_missing_is_named(key):
    key.unlink()
    done = run(key, "admin")
    assert isinstance(done.exception, BadRequest)
    assert "POOL" in str(done.exception)


@pytest.mark.parametrize("text", ["", "no token", "a.b", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhQGIifQ."])
def test_what_has_no_seal_is_on_no_list(text):
    assert signing.listed(text) == ""
