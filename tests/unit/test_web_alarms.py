"""Alarms of the administrators' page have the names that Prometheus has for the same."""

import time

import pytest

from mlinfn_condor.backup import record
from mlinfn_condor.backup.record import Record
from mlinfn_condor.services import state
from mlinfn_condor.services.state import RunnerState, ServiceState
from mlinfn_condor.web.administration import Places, look


def names(places: Places) -> list[str]:
    return [alarm.name for alarm in look(places).alarms]


@pytest.mark.parametrize(
    ("told", "raised"),
    [
        ({}, []),
        ({"error": "no room"}, ["MlinfnBackupFailed"]),
        ({"verification_error": "damaged"}, ["MlinfnBackupNotVerified"]),
        ({"error": "no room", "verification_error": "damaged"}, ["MlinfnBackupFailed", "MlinfnBackupNotVerified"]),
    ],
    ids=lambda one: "-".join(one) or "well",
)
def test_a_backup_that_failed_is_not_one_that_could_not_be_restored(tmp_path, told, raised):
    record.write(tmp_path / "record.json", Record(since=1, good_at=time.time(), **told))
    assert names(Places(backup=tmp_path / "record.json")) == raised


def test_services_are_told_of_unless_they_run(tmp_path):
    file, now = tmp_path / "state.json", time.time()
    pid, born = state.me()
    services = (ServiceState("recorder", "running", now, pid, born), ServiceState("backup", "waiting", now, starts=3))
    state.write(file, RunnerState(pid, born, now, services))
    (alarm,) = look(Places(services=file)).alarms
    assert alarm.name == "MlinfnServiceNotRunning"
    assert alarm.sentence.startswith("backup is waiting")
