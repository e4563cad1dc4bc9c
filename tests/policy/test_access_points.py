"""Two access points: what differs between them, how soon they react, what they remember."""

import pytest


def test_the_access_points_have_their_names_and_classes(batch, interactive):
    assert (batch.knob("SCHEDD_NAME"), batch.words("MLINFN_CLASSES_HERE")) == ("batch@", ["dask", "batch"])
    assert (interactive.knob("SCHEDD_NAME"), interactive.words("MLINFN_CLASSES_HERE")) == (
        "interactive@",
        ["interactive"],
    )


@pytest.mark.parametrize(
    "file",
    [
        "SPOOL",
        "JOB_QUEUE_LOG",
        "HISTORY",
        "JOB_EPOCH_HISTORY",
        "SCHEDD_LOG",
        "SCHEDD_ADDRESS_FILE",
        "SCHEDD_DAEMON_AD_FILE",
    ],
)
def test_the_access_points_share_no_file(batch, interactive, file):
    assert batch.knob(file) != interactive.knob(file)


def test_the_session_queue_is_counted_at_once(interactive):
    assert interactive.knob("SCHEDD_INTERVAL") == "1"
    assert interactive.knob("SCHEDD_MIN_INTERVAL") == "0"
    assert float(interactive.knob("SCHEDD_INTERVAL_TIMESLICE")) >= 0.5


def test_the_long_queue_is_counted_as_often_for_owners_behind_idle_jobs(batch):
    assert batch.knob("SCHEDD_MIN_INTERVAL") == "0"
    assert float(batch.knob("SCHEDD_INTERVAL")) <= 1
    assert float(batch.knob("SCHEDD_INTERVAL_TIMESLICE")) >= 0.5


def test_no_hidden_minimum_delays_a_negotiation(batch):
    assert batch.knob("NEGOTIATOR_CYCLE_DELAY") == "0"
    assert int(batch.knob("NEGOTIATOR_MIN_INTERVAL")) == 0
    assert int(batch.knob("NEGOTIATOR_INTERVAL")) <= 2


def test_lost_nodes_are_forgotten_soon_and_daemons_that_live_are_not(batch):
    lifetime = int(batch.knob("CLASSAD_LIFETIME"))
    assert lifetime / 3 <= 60, "the collector clears up so often"
    daemons = [f"{name}_UPDATE_INTERVAL" for name in ("COLLECTOR", "MASTER", "NEGOTIATOR")]
    for interval in (*daemons, "UPDATE_INTERVAL", "SCHEDD_INTERVAL"):
        assert int(batch.knob(interval)) * 3 <= lifetime, interval


def test_the_negotiator_tells_everybody_of_nodes_that_can_come(batch):
    assert "MlinfnNodesToCome" in batch.words("NEGOTIATOR_ATTRS")
    assert batch.knob("MlinfnNodesToCome") == '""'


def test_a_user_has_few_sessions_and_many_jobs(batch, interactive):
    assert int(interactive.knob("MAX_JOBS_PER_OWNER")) == int(interactive.knob("MAX_JOBS_PER_SUBMISSION")) == 3
    assert int(batch.knob("MAX_JOBS_PER_OWNER")) >= int(batch.knob("MAX_JOBS_PER_SUBMISSION")) >= 1000


def test_no_job_is_checked_later_than_at_submit(batch, interactive):
    for point in (batch, interactive):
        assert point.evaluate(point.knob("SCHEDD_ALLOW_LATE_MATERIALIZE")) is False


def test_attempts_and_jobs_are_kept_for_days_without_environments(batch, interactive):
    for point in (batch, interactive):
        assert point.knob("JOB_EPOCH_HISTORY").startswith(point.knob("SPOOL"))
        for history in ("HISTORY", "EPOCH_HISTORY"):
            assert int(point.knob(f"MAX_{history}_LOG")) * int(point.knob(f"MAX_{history}_ROTATIONS")) >= 500_000_000
        assert point.evaluate(point.knob("HISTORY_CONTAINS_JOB_ENVIRONMENT")) is False


@pytest.mark.parametrize(
    "daemon", ["MASTER", "COLLECTOR", "NEGOTIATOR", "SCHEDD", "INTERACTIVE", "SHADOW", "STARTD", "STARTER"]
)
def test_logs_are_rotated_and_the_last_ones_kept(batch, daemon):
    assert int(batch.knob("MAX_DEFAULT_LOG")) == 10_000_000
    assert int(batch.knob(f"MAX_NUM_{daemon}_LOG")) == 2
