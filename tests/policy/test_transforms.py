"""What an access point adds to a job: class, project, accounting group, checkpoint window, lease."""

import pytest
from jobs import job, written


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (job(), ("batch", "alpha", "group_batch.alpha.alice")),
        (job(PriorityClass="DASK"), ("dask", "alpha", "group_dask.alpha.alice")),
        (job(Project="beta"), ("batch", "beta", "group_batch.beta.alice")),
        (job(Owner="bob"), ("batch", "beta", "group_batch.beta.bob")),
        (job(PriorityClass=written('strcat("da", "sk")')), ("dask", "alpha", "group_dask.alpha.alice")),
    ],
    ids=str,
)
def test_class_and_project_become_the_accounting_group(batch, described, expected):
    done = batch.transform(described)
    assert (done["PriorityClass"], done["Project"], done["AccountingGroup"]) == expected
    assert done["AcctGroup"] == f"group_{expected[0]}.{expected[1]}"
    assert done["AcctGroupUser"] == described["Owner"]


def test_transforming_twice_changes_nothing(batch):
    """So a job may state what it would get anyway."""
    once = batch.transform(job(PriorityClass="dask", RequestGPUs=1))
    assert batch.transform(once) == once
    assert batch.refusal(once) is None


def test_what_the_user_wrote_about_charging_stays_for_the_requirement_to_refuse(batch):
    assert batch.transform(job(AcctGroup="group_interactive.beta"))["AcctGroup"] == "group_interactive.beta"


@pytest.mark.parametrize(
    ("asked", "window"),
    [(None, 30), (0, 0), (45, 45), (120, 120), (121, 120), (99999, 120), (-1, 30), ("long", 30), (1.5, 30)],
)
def test_the_checkpoint_window_is_bounded(batch, asked, window):
    assert batch.transform(job(JobMaxVacateTime=asked))["JobMaxVacateTime"] == window


def test_a_window_that_grows_later_is_settled_at_submit(batch):
    assert batch.transform(job(JobMaxVacateTime=written("ifThenElse(time() > 0, 1000, 1)")))["JobMaxVacateTime"] == 120


@pytest.mark.parametrize("lease", [None, 1, 999999999])
def test_every_job_has_the_same_lease(batch, lease):
    assert batch.transform(job(JobLeaseDuration=lease))["JobLeaseDuration"] == 2400


def test_no_claim_is_kept_for_nobody(batch):
    assert batch.transform(job(KeepClaimIdle=86400))["KeepClaimIdle"] == 0
    assert "KeepClaimIdle" not in batch.transform(job())
