"""What stands beside ours in the bench `ingest` really does the work it is timed for."""

import os
from pathlib import Path

import pytest

from mlinfn_condor.bench import adstash
from mlinfn_condor.bench.history import write_history
from mlinfn_condor.embedded.distribution import Distribution

ATTEMPTS = 30


@pytest.fixture
def history(tmp_path: Path) -> Path:
    write_history(tmp_path / "epoch_history", ATTEMPTS, lambda _: None)
    return tmp_path / "epoch_history"


def test_condor_adstash_writes_every_attempt(installed: Distribution, history: Path, tmp_path: Path) -> None:
    if not (installed.bin / "condor_adstash").is_file():
        if os.environ.get("MLINFN_REQUIRE_DAEMONS"):
            pytest.fail("this HTCondor has no condor_adstash")
        pytest.skip("this HTCondor has no condor_adstash")
    told = adstash.written(history, tmp_path / "json").measured
    assert told.failures == ()
    assert told.figures["rows"] == ATTEMPTS


def test_where_it_is_missing_or_fails_the_bench_says_so(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adstash.distribution, "find", lambda _: Distribution("25.0.0", tmp_path, private=True))
    assert adstash.written(history, tmp_path / "json").measured.failures == (
        "not measured: this HTCondor has no condor_adstash",
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "condor_adstash").write_text("raise SystemExit(3)\n")
    (failure,) = adstash.written(history, tmp_path / "json").measured.failures
    assert "exit status 3" in failure
