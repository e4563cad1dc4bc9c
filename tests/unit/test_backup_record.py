"""When a backup is due, late or not verified; what settings refuse; what HTCondor's logs are told after a restore."""

from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from mlinfn_condor.backup import record
from mlinfn_condor.backup.errors import BackupFailed
from mlinfn_condor.backup.metrics import BackupCollector
from mlinfn_condor.backup.record import DAY, HOUR, Record
from mlinfn_condor.backup.running import Room
from mlinfn_condor.backup.service import Acts, Service
from mlinfn_condor.backup.settings import BackupSettings, Keep, of_site
from mlinfn_condor.backup.settling import end_leases, end_matches, settle
from mlinfn_condor.errors import BadRequest

SETTINGS = BackupSettings(repository="/srv/backup", password_file=Path("/etc/password"))
NOW = 1_800_000_000.0
FRESH = Record(since=NOW - 9 * DAY, tried_at=NOW - HOUR, good_at=NOW - HOUR, verified_at=NOW - HOUR)


@pytest.mark.parametrize(
    ("seen", "act"),
    [
        (Record(since=NOW), "run"),
        (FRESH, None),
        (replace(FRESH, tried_at=NOW - 24 * HOUR, good_at=NOW - 24 * HOUR), "run"),
        (replace(FRESH, verified_at=NOW - 7 * DAY), "verify"),
        (replace(FRESH, verified_at=NOW - 7 * DAY, verification_tried_at=NOW - HOUR, verification_error="x"), None),
        (replace(FRESH, verified_at=0, verification_tried_at=NOW - DAY, verification_error="x"), "verify"),
        (replace(FRESH, failed=1, error="x", tried_at=NOW - 899), None),
        (replace(FRESH, failed=1, error="x", tried_at=NOW - 900, good_at=NOW - DAY), "run"),
        (replace(FRESH, failed=3, error="x", tried_at=NOW - 1801, good_at=NOW - DAY), None),
        (replace(FRESH, failed=99, error="x", tried_at=NOW - DAY, good_at=NOW - 9 * DAY), "run"),
    ],
)
def test_what_is_due(seen: Record, act: str | None) -> None:
    assert record.due(seen, SETTINGS, NOW) == act


def test_what_is_late_or_wrong_is_said_in_words() -> None:
    assert record.judged(FRESH, SETTINGS, NOW).sentences == ()
    late = record.judged(replace(FRESH, good_at=NOW - 37 * HOUR), SETTINGS, NOW)
    assert late.late
    assert late.sentences == ("the backup is late: the last good one is 37.0 h old, at most 36 h were allowed",)
    never = record.judged(Record(since=NOW - 37 * HOUR), SETTINGS, NOW)
    assert "there never was a good one" in never.sentences[0]
    assert not record.judged(Record(since=NOW), SETTINGS, NOW).late


def test_the_settings_refuse_what_cannot_be_meant(tmp_path: Path) -> None:
    given = {"repository": "/srv/b", "password_file": "/p"}
    for wrong, told in (
        ({"repository": "s3:https://key:secret@host/b"}, "belong into a file of credentials"),
        ({"repository": "backup"}, "an absolute path"),
        ({"late_after_hours": 24}, "is not above every_hours"),
        ({"folders": {"a/b": "/x"}}, "a name without /"),
        ({"keep": {"last": 0}}, "greater than or equal to 1"),
        ({"verify_share": "half"}, "pattern"),
        ({"pasword_file": "/p"}, "Extra inputs"),
    ):
        with pytest.raises(ValueError, match=told):
            BackupSettings.model_validate({**given, **wrong})
    with pytest.raises(BackupFailed, match="nothing says where backups go: write into"):
        of_site(tmp_path / "storage.toml")
    (tmp_path / "storage.toml").write_text('[backup]\nrepository = "there"\n')
    with pytest.raises(BadRequest, match=r"backup\.password_file: Field required"):
        of_site(tmp_path / "storage.toml")
    assert Keep(yearly=0, monthly=0).words() == ["--keep-last", "3", "--keep-daily", "7", "--keep-weekly", "5"]


def test_prometheus_is_told_and_of_nothing_where_nobody_asked(tmp_path: Path) -> None:
    room = Room(tmp_path)
    registry = CollectorRegistry()
    registry.register(BackupCollector(lambda: (SETTINGS, room)))
    assert b"mlinfn_backup" not in generate_latest(registry)
    record.write(room.record, Record(since=1, verification_error="damaged"))
    told = generate_latest(registry).decode()
    assert "mlinfn_backup_late 1.0" in told
    assert "mlinfn_backup_verification_failed 1.0" in told
    assert "mlinfn_backup_last_good_timestamp_seconds 1" not in told


def test_the_service_does_what_is_due_and_says_each_trouble_once(tmp_path: Path) -> None:
    room, said, ran = Room(tmp_path), [], []

    def fail() -> None:
        ran.append("run")
        record.write(room.record, record.failed(record.read(room.record), NOW, "the server is away"))
        raise BackupFailed("the server is away")

    service = Service(Acts(lambda: (SETTINGS, room), fail, lambda: ran.append("verify")), said.append)
    record.write(room.record, Record(since=1))
    service.turn(NOW)
    service.turn(NOW + 60)
    assert ran == ["run"]
    assert len([line for line in said if "the server is away" in line]) == len(set(said)) - 1
    assert len(said) == len(set(said))
    assert [line for line in said if "late" in line]
    assert room.journal.read_text().count('"late"') == 1


QUEUE = """107 3 CreationTimestamp 1
101 1.0 Job Machine
103 1.0 JobStatus 1
105
103 1.0 JobStatus 2
106
101 2.0 Job Machine
103 2.0 JobStatus 2
103 2.0 JobStatus 4
101 3.0 Job Machine
103 3.0 JobStatus 2
102 3.0
103 1.0 Args "JobStatus 4"
"""


def test_jobs_that_ran_are_over_their_lease_and_others_are_not_touched() -> None:
    assert list(end_leases(QUEUE.splitlines())) == ["103 1.0 LastJobLeaseRenewal 1"]


ACCOUNTANT = """101 Accountant. Accounting *
103 Accountant. LastUpdateTime 1795000000
101 Customer.bob@demo Accounting *
103 Customer.bob@demo WeightedAccumulatedUsage 12.5
103 Customer.bob@demo ResourcesUsed 1
103 Customer.bob@demo WeightedResourcesUsed 4.0
101 Customer.alice@demo Accounting *
103 Customer.alice@demo ResourcesUsed 0
101 Resource.slot1@server1 Accounting *
103 Resource.slot1@server1 StartTime 1794999990
101 Resource.slot2@server1 Accounting *
102 Resource.slot2@server1
"""


def test_what_everybody_used_stays_and_nobody_uses_anything_now(tmp_path: Path) -> None:
    told = list(end_matches(ACCOUNTANT.splitlines()))
    assert told == [
        "102 Resource.slot1@server1",
        "103 Customer.bob@demo ResourcesUsed 0",
        "103 Customer.bob@demo WeightedResourcesUsed 0.0",
    ]
    torn = "105 \n103 Customer.bob@demo WeightedAccumulatedUsage 99\n103 Custom"
    (tmp_path / "Accountantnew.log").write_text(ACCOUNTANT + torn)
    settle(tmp_path)
    settle(tmp_path)  # nothing more to tell
    assert (tmp_path / "Accountantnew.log").read_text() == ACCOUNTANT + "".join(
        f"{x}\n" for x in ["105 ", *told, "106 "]
    )
