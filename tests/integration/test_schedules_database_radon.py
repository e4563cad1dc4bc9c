"""The worked example: stations send by token, each 500 rows a run learns, each row once, and the model gets better."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fronts import front
from postgres import fresh_database
from test_schedules_database import Site

from mlinfn_condor.bench.instruments import Provider, declared, provider
from mlinfn_condor.store.local import LocalServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "radon"
WRITERS, EACH = 3, 800


@pytest.fixture
def site_of_stations(
    postgres: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Site, str, Provider]]:
    """The site, the address of its front end, and who signs tokens."""
    monkeypatch.syspath_prepend(EXAMPLE)
    with provider() as tokens, fresh_database(postgres) as dsn:
        text = (EXAMPLE / "site.toml").read_text()
        (file := tmp_path / "site.toml").write_text(text.replace("http://127.0.0.1:3999", tokens.issuer))
        settings = declared(dsn, file)
        site = Site(dsn, tmp_path)
        with front(settings, dsn) as address:
            yield site, address, tokens
        site.connection.close()
    for name in ("nature", "stations", "retrain", "plot"):
        sys.modules.pop(name, None)


def test_the_model_gets_better_and_learns_from_each_row_once(site_of_stations, tmp_path: Path) -> None:
    import nature
    import plot
    import retrain
    import stations

    radon, address, tokens = site_of_stations
    token = tokens.token("radon-stations")
    radon.add(kind="rows", spec="api.radon_reading", least=500, mark=radon.book.snapshot(), name="radon")
    writers = [threading.Thread(target=stations.send, args=(address, token, EACH, seed, 20)) for seed in range(WRITERS)]
    for writer in writers:
        writer.start()

    def work() -> None:
        """What the pool does with the jobs that there are."""
        query = "SELECT since, until FROM mlinfn_schedule.run WHERE state = 'submitted'"
        for since, until in radon.connection.execute(query).fetchall():
            for _ in range(2):  # displaced after it has saved, and started again
                retrain.learn(radon.dsn, tmp_path / "model", since, until)
        radon.finish()

    while any(writer.is_alive() for writer in writers):
        radon.turn(minutes=1)
        work()
    (schedule,) = radon.book.schedules()
    for _ in range(2):
        radon.book.run_now(schedule, radon.now, radon.book.snapshot())
        radon.turn(minutes=1)
        work()
    model = retrain.load(tmp_path / "model")
    assert model["rows"][-1] == WRITERS * EACH, "each row once"
    assert len(model["errors"]) >= 3
    assert model["errors"][-1] < min(model["errors"][0], 1.3 * nature.NOISE)
    plot.draw(model, tmp_path / "radon.svg")
    assert "each once" in (tmp_path / "radon.svg").read_text()
