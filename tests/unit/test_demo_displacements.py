"""Who displaced whom, from the records of execution attempts."""

import pytest

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.demo.displacements import Attempt, displacements


def attempt(job: str, started: int, ended: int, *, vacated: int | None = None, device: str = "GPU-0") -> Attempt:
    """A record as `condor_history -epochs -json` gives it. The class stands in the name: interactive@1.0, dask@2.0."""
    priority_class, _, number = job.partition("@")
    access_point = PriorityClass(priority_class).access_point
    ad = {
        "GlobalJobId": f"{access_point}#{number}#1700000000",
        "Owner": "alice",
        "PriorityClass": priority_class,
        "AssignedGPUs": device,
        "JobCurrentStartDate": started,
        "EpochWriteDate": ended,
    }
    return Attempt.from_ad(ad if vacated is None else ad | {"VacateReasonCode": vacated})


def who(*attempts: Attempt) -> list[tuple[str, str | None]]:
    return [(str(d.victim.job), str(d.newcomer.job) if d.newcomer else None) for d in displacements(attempts)]


def test_a_session_starts_while_its_victim_is_still_saving():
    assert who(attempt("batch@1.0", 0, 20, vacated=1011), attempt("interactive@9.0", 12, 60)) == [
        ("batch@1.0", "interactive@9.0")
    ]


def test_a_dask_worker_starts_after_its_victim_has_left():
    assert who(attempt("batch@1.0", 0, 20, vacated=1005), attempt("dask@2.0", 20, 40)) == [("batch@1.0", "batch@2.0")]


def test_of_two_that_had_the_device_later_the_first_was_the_newcomer():
    later = attempt("interactive@8.0", 45, 60), attempt("dask@2.0", 21, 40)
    assert who(attempt("batch@1.0", 0, 20, vacated=1005), *later) == [("batch@1.0", "batch@2.0")]


def test_a_session_that_had_ended_before_displaced_nobody():
    assert who(attempt("interactive@9.0", 0, 10), attempt("batch@1.0", 10, 20, vacated=1011)) == [("batch@1.0", None)]


def test_another_batch_job_on_the_device_is_no_newcomer():
    assert who(attempt("batch@1.0", 0, 20, vacated=1005), attempt("batch@2.0", 20, 30)) == [("batch@1.0", None)]


def test_who_took_another_device_is_no_newcomer():
    elsewhere = attempt("interactive@9.0", 12, 60, device="GPU-1")
    assert who(attempt("batch@1.0", 0, 20, vacated=1011), elsewhere) == [("batch@1.0", None)]


@pytest.mark.parametrize("code", [None, 1023])
def test_who_finished_or_was_removed_by_its_user_was_not_displaced(code):
    assert who(attempt("batch@1.0", 0, 20, vacated=code), attempt("interactive@9.0", 12, 60)) == []


def test_a_job_displaced_twice_is_told_twice():
    first, second = attempt("batch@1.0", 0, 20, vacated=1011), attempt("batch@1.0", 30, 50, vacated=1005)
    session, worker = attempt("interactive@9.0", 19, 29), attempt("dask@2.0", 50, 60)
    assert who(second, worker, first, session) == [("batch@1.0", "interactive@9.0"), ("batch@1.0", "batch@2.0")]
