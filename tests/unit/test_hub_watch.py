"""The hub's view of the pool, over the twin: what is concluded from which answer."""

import asyncio
import threading

import pytest
from asked import InThread

from mlinfn_condor.errors import PoolUnavailable
from mlinfn_condor.hub.sessions import Life, Look, slug, started_again
from mlinfn_condor.hub.watch import PoolWatch
from mlinfn_condor.pool import Job, JobId
from mlinfn_condor.pool.twin import TwinPool

ID = JobId("interactive@", 7)


def job(status: int = 2, **ad: object) -> Job:
    return Job.from_ad("interactive@", {"ClusterId": 7, "ProcId": 0, "JobStatus": status, **ad})


@pytest.mark.parametrize(
    ("look", "submitted", "life"),
    [
        (Look(), 5, Life.UNKNOWN),
        (Look({}, asked=4), 5, Life.UNKNOWN),
        (Look({}, asked=6), 5, Life.GONE),
        (Look({ID: job(2)}, asked=4), 5, Life.IN_QUEUE),
        (Look({ID: job(1)}, asked=6), 5, Life.IN_QUEUE),
        (Look({ID: job(5)}, asked=6), 5, Life.IN_QUEUE),
        (Look({ID: job(3)}, asked=6), 5, Life.GONE),
        (Look({ID: job(4)}, asked=6), 5, Life.GONE),
    ],
)
def test_only_an_answer_newer_than_the_submit_says_that_a_session_is_gone(look, submitted, life):
    assert look.life(ID, submitted) is life


@pytest.mark.parametrize(
    ("before", "now", "again"),
    [
        (None, job(JobCurrentStartDate=9), False),
        (job(JobCurrentStartDate=9), job(JobCurrentStartDate=9), False),
        (job(), job(JobCurrentStartDate=9), False),
        (job(JobCurrentStartDate=9), job(JobCurrentStartDate=12), True),
        (job(JobCurrentStartDate=9), None, False),
    ],
)
def test_a_session_has_moved_when_its_job_started_again(before, now, again):
    assert started_again(before, now) is again


@pytest.mark.parametrize("name", ["", "a", "my-gpu", "Ünï", "a b", "A", "x" * 200, "../up", "$(x)", "default", "\n"])
def test_every_server_name_becomes_a_name_for_folders_and_ads(name):
    assert slug(name).startswith("hub-")
    assert len(slug(name)) <= 32
    assert set(slug(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_distinct_server_names_stay_distinct():
    names = ["", "default", "a", "A", "a ", "a-", "-a", "x" * 40, "x" * 41]
    assert len({slug(name) for name in names}) == len(names)


def test_people_who_ask_at_different_times_each_get_a_picture_though_newer_ones_begin():
    held = threading.Event()

    class Slow(TwinPool):
        def slots(self, *words, **more):
            held.wait(60)
            return super().slots(*words, **more)

    async def run():
        watch = PoolWatch(InThread(TwinPool()), InThread(Slow()))
        first = asyncio.ensure_future(watch.fresh_snapshot())
        await asyncio.sleep(0)
        watch._snapshot = asyncio.get_running_loop().create_future()
        held.set()
        return await first

    assert asyncio.run(run()) is not None


def test_a_pool_that_does_not_answer_is_no_picture_and_no_end():
    class Silent(TwinPool):
        def slots(self, *_words, **_more):
            raise PoolUnavailable("the collector did not answer")

    async def run():
        watch = PoolWatch(InThread(TwinPool()), InThread(Silent()))
        return await watch.snapshot(), watch.look.life(ID, 0)

    assert asyncio.run(run()) == (None, Life.UNKNOWN)
