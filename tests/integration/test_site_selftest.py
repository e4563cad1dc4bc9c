"""`mlinfn site selftest` on a real hub and pool that stand for a site: it goes through, and says what is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from site_containers import SITE, free_port
from typer.testing import CliRunner

from mlinfn_condor.accounting.service import Service
from mlinfn_condor.accounting.settings import AccountingSettings
from mlinfn_condor.cli.main import app
from mlinfn_condor.demo.site_report import appears
from mlinfn_condor.demo.site_story import Ask, SiteFailed, play
from mlinfn_condor.demo.visitor import Visitor
from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.pool.real import RealPool
from mlinfn_condor.settings import Settings
from mlinfn_condor.store import migrate

JOB_SECONDS = 90


@pytest.fixture(scope="module")
def hub(pool_home: Path) -> Iterator[RunningHub]:
    settings = Settings(home=pool_home, pool="story")
    try:
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


@pytest.fixture(scope="module")
def token(hub: RunningHub) -> str:
    return Visitor.sign_in(hub, "alice").token


def asked(hub: RunningHub, token: str, model: str = "T4") -> Ask:
    return Ask(hub.url.rstrip("/"), token, model, "gpu", JOB_SECONDS)


@pytest.mark.slow
def test_the_whole_way_and_the_report(hub, token, database):
    told: list[str] = []
    assert play(asked(hub, token), told.append) == "alice"
    for part in (
        "answers",
        "alice's",
        "a cell runs, with device GPU",
        "home can be written",
        "Dask worker",
        "a training ran",
    ):
        assert any(part in line for line in told), (part, told)
    migrate(database)
    with pytest.raises(SiteFailed, match="the report: alice is not in it"):
        appears(database, "alice", told.append, seconds=0)
    layout = hub.layout.pool
    settings = Settings(home=layout.folder.parents[1], pool="story")
    recorder = Service(database, lambda: RealPool(pools.environment(settings)), layout.spools, AccountingSettings())
    recorder.once()
    appears(database, "alice", told.append)
    assert told[-1] == "the report of usage names alice"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"token": "nobody"}, "the token: HTTP 403"),
        ({"url": "http://127.0.0.1:1"}, "the door: "),
        ({"model": "H100"}, "the session: "),
    ],
)
def test_what_is_wrong_is_told_in_words_with_what_to_look_at(hub, token, changed, part):
    ask = asked(hub, token)
    with pytest.raises(SiteFailed) as caught:
        play(Ask(**(vars(ask) | changed)), lambda said: None)
    assert part in str(caught.value)
    assert str(caught.value).count("Look at: ") == 1


def test_the_command_asks_for_a_token_and_tells_a_closed_door(tmp_path, monkeypatch):
    (tmp_path / "mlinfn.toml").write_text(SITE)
    command = ["site", "selftest", str(tmp_path / "mlinfn.toml"), "--url", f"http://127.0.0.1:{free_port()}"]
    assert "MLINFN_HUB_TOKEN is not set" in str(CliRunner().invoke(app, command).exception)
    monkeypatch.setenv("MLINFN_HUB_TOKEN", "any")
    assert "the door" in str(CliRunner().invoke(app, command).exception)
