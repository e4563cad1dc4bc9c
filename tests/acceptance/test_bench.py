"""The quick look at start latency, as a person takes it: its object, its picture, and nothing left behind."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from mlinfn_condor.embedded.distribution import Distribution

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() == 0, reason="jobs refuse root; `make soak` runs as another user"),
]
ROOT = Path(__file__).parents[2]
SECONDS = 300
CASES = ("burst", "handovers")


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench") / "starts.svg"


@pytest.fixture(scope="module")
def told(installed: Distribution, picture: Path) -> dict:
    before = set(Path("/tmp").glob("mlinfn-*/pools/bench"))
    words = [word for case in CASES for word in ("--case", case)]
    done = subprocess.run(
        [ROOT / "mlinfn", "bench", "start-latency", "--quick", "--json", "--picture", picture, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert set(Path("/tmp").glob("mlinfn-*/pools/bench")) <= before
    return json.loads(done.stdout)


def test_the_object_says_what_was_measured_where_and_how_thoroughly(told: dict) -> None:
    assert (told["bench"], told["quick"]) == ("start-latency", True)
    assert told["machine"]["cpus"] >= 1
    assert told["versions"]["HTCondor"]
    assert {case["case"] for case in told["cases"]} == set(CASES)


def test_every_user_of_a_burst_gets_the_model_that_he_asked_for(told: dict) -> None:
    (burst,) = (case for case in told["cases"] if case["case"] == "burst")
    assert (burst["figures"]["n"], burst["figures"]["wrong_model"], burst["figures"]["unserved"]) == (16, 0, 0)


def test_sessions_and_dask_displace_without_a_fault(told: dict) -> None:
    (handovers,) = (case for case in told["cases"] if case["case"] == "handovers")
    assert handovers["holds"], handovers["figures"]
    assert handovers["figures"]["to_sessions"] > 0
    assert handovers["figures"]["to_dask"] > 0


def test_the_picture_shows_each_start(told: dict, picture: Path) -> None:
    assert picture.read_text().startswith("<svg")
    assert "seconds from submit to first line" in picture.read_text()
