"""The cluster in a notebook, on a pool in memory: what it submits, replaces, hides and clears away."""

import asyncio
import re
import stat

import pytest

pytest.importorskip("dask_jobqueue")

from asked import InThread

from mlinfn_condor.dask import Cluster
from mlinfn_condor.errors import PoolUnavailable
from mlinfn_condor.pool import Addable, DeviceKind, JobState
from mlinfn_condor.pool.twin import TwinPool


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def with_cluster(act, pool=None, **options):
    pool = pool or TwinPool()

    async def run():
        async with Cluster(asynchronous=True, interface="lo", asked=InThread(pool), **options) as cluster:
            await act(cluster, pool)

    asyncio.run(run())
    return pool


async def scaled(cluster, count):
    cluster.scale(count)
    await cluster


def test_scaling_is_one_submit_and_closing_leaves_no_job():
    async def act(cluster, pool):
        await scaled(cluster, 20)
        assert {job.id.cluster for job in pool.jobs()} == {1}
        assert len(pool.jobs()) == 20

    assert with_cluster(act).jobs() == []


def test_workers_get_the_shipped_values_without_any_variable():
    async def act(cluster, pool):
        await scaled(cluster, 1)
        (job,) = pool.jobs()
        assert "--preload-nanny mlinfn_condor.dask.retirement" in job.ad["Arguments"]
        assert "exec python" in job.ad["Arguments"]

    with_cluster(act)


def test_devices_and_project_reach_the_job():
    async def act(cluster, pool):
        await scaled(cluster, 1)
        (job,) = pool.jobs()
        assert (job.ad["RequestGPUs"], job.ad["RequireGPUs"]) == (1, 'DeviceModel == "A100"')
        assert job.project == "alpha"

    with_cluster(act, devices="A100:1", project="alpha")


def test_the_key_is_in_files_of_its_user_alone_and_in_no_ad(home):
    async def act(cluster, pool):
        assert cluster.scheduler_address.startswith("tls://")
        await scaled(cluster, 1)
        (job,) = pool.jobs()
        folder = next((home / ".mlinfn" / "dask").iterdir())
        key = (folder / "dask-key.pem").read_text()
        assert "PRIVATE KEY" in key
        assert "PRIVATE KEY" not in str(job.ad)
        assert not any(line in str(job.ad) for line in key.splitlines()[1:3])
        assert "--tls-key $PWD/dask-key.pem" in job.ad["Arguments"].replace('"', "")
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    with_cluster(act)
    assert list((home / ".mlinfn" / "dask").iterdir()) == [], "nothing stays"


def test_without_tls_only_if_somebody_says_so():
    async def act(cluster, _pool):
        assert cluster.scheduler_address.startswith("tcp://")

    with_cluster(act, security=False)


def test_held_and_removed_workers_are_replaced_and_displaced_ones_are_not():
    async def act(cluster, pool):
        await scaled(cluster, 4)
        held, gone, displaced, _ = (job.id for job in pool.jobs())
        pool.start(displaced)
        pool.evict(displaced)
        pool.hold(held, "no disk")
        pool.remove(gone, "by somebody")
        assert sorted(one.reason for one in await cluster.replace_lost()) == [
            "its job is not in the queue any more",
            "its job is on hold: no disk",
        ]
        assert len(pool.jobs()) == 4
        assert {job.state for job in pool.jobs()} == {JobState.IDLE}
        assert displaced in {job.id for job in pool.jobs()}
        assert await cluster.replace_lost() == []

    with_cluster(act)


def test_a_worker_that_never_works_is_given_up_after_some_times(caplog):
    caplog.set_level("WARNING", "distributed.deploy.mlinfn")

    async def act(cluster, pool):
        await scaled(cluster, 1)
        for _ in range(50):
            for job in pool.jobs():
                pool.hold(job.id, "bad image")
            if not await cluster.replace_lost():
                break
        assert pool.jobs() == []
        assert len(cluster.worker_spec) == 0

    with_cluster(act, silence_logs=False)
    assert "is given up: its job is on hold: bad image" in caplog.text


def test_a_refusal_is_told_and_leaves_nothing_that_looks_like_a_worker(caplog):
    caplog.set_level("WARNING", "distributed.deploy.mlinfn")

    async def act(cluster, _pool):
        await scaled(cluster, 2)
        assert [one.reason for one in await cluster.replace_lost()] == ["no dask today"] * 2
        assert cluster.workers == cluster.worker_spec == {}

    with_cluster(act, TwinPool(refusals={'PriorityClass != "dask"': "no dask today"}), silence_logs=False)
    assert "no dask today" in caplog.text


def test_workers_that_an_absent_access_point_did_not_take_are_queued_when_it_is_back():
    class Absent(TwinPool):
        absent = True

        def submit(self, *arguments, **options):
            if self.absent:
                raise PoolUnavailable("the pool has no access point batch@ at the moment")
            return super().submit(*arguments, **options)

    async def act(cluster, pool):
        await scaled(cluster, 20)
        for _ in range(30):
            assert len(await cluster.replace_lost()) == 20
        pool.absent = False
        await cluster.replace_lost()
        assert len(pool.jobs()) == 20

    with_cluster(act, Absent())


def work(cpus):
    return {
        "Name": "slot2@n@h",
        "MlinfnOffer": "work",
        "PartitionableSlot": True,
        "Cpus": cpus,
        "Memory": 99999,
    }


def test_adapt_asks_for_what_can_start_and_goes_on_after_displacements():
    async def act(cluster, pool):
        adaptive = cluster.adapt(minimum=0, maximum=50, interval="1 hour")
        wanted = 50

        async def target():
            return wanted

        adaptive.target = target
        await adaptive.adapt()
        await cluster
        assert len(pool.jobs()) == 3, "of 50 that are wanted"
        for job in pool.jobs():
            pool.start(job.id)
            pool.evict(job.id)
        pool._slots[0]["Cpus"] = 7  # where displaced ones would start again, and four more
        await adaptive.adapt()
        await cluster
        assert len(pool.jobs()) == 7
        pool.remove(pool.jobs()[0].id, "preempted for good")
        await cluster.replace_lost()
        assert len(pool.jobs()) == 7
        adaptive.waiting = 2
        await adaptive.adapt()
        await cluster
        assert len(pool.jobs()) == 9

    with_cluster(act, TwinPool([work(3)]))


def test_adapt_lets_as_many_wait_as_one_more_node_takes_if_the_pool_tells_of_one():
    async def act(cluster, pool):
        adaptive = cluster.adapt(minimum=0, maximum=50, interval="1 hour")

        async def target():
            return 50

        adaptive.target = target
        pool.to_come = [Addable(cpus=4, memory_mb=99999), Addable(2, 99999, 4, DeviceKind.GPU, "T4")]
        for _ in range(2):
            await adaptive.adapt()
            await cluster
            assert len(pool.jobs()) == 3 + 4
        for job in pool.jobs()[:3]:
            pool.start(job.id)
        pool._slots[0]["Cpus"] = 0
        pool.add_slot(work(4) | {"Name": "slot2@added@h"})
        await adaptive.adapt()
        await cluster
        assert len(pool.jobs()) == 3 + 4 + 4, "the node has come, and another one can be added"
        pool.to_come = []
        adaptive.waiting = 0
        await adaptive.adapt()
        assert len(pool.jobs()) == 11, "who waits is not given up"

    with_cluster(act, TwinPool([work(3)]))


def test_a_link_that_would_lead_nowhere_is_not_given_and_told_once(monkeypatch, caplog):
    caplog.set_level("WARNING", "distributed.deploy.mlinfn")
    monkeypatch.setattr("mlinfn_condor.dask.cluster.find_spec", lambda name: None)

    async def act(cluster, _pool):
        assert (cluster.dashboard_link, cluster.dashboard_link) == ("", "")

    with_cluster(act, silence_logs=False)
    assert caplog.text.count("needs bokeh") == 1


def test_outside_a_session_the_link_is_where_the_dashboard_listens():
    pytest.importorskip("bokeh")

    async def act(cluster, _pool):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/status", cluster.dashboard_link)

    with_cluster(act)


def test_the_dashboard_is_behind_the_hubs_proxy_in_a_session(monkeypatch):
    pytest.importorskip("bokeh")
    pytest.importorskip("jupyter_server_proxy")
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/alice/")

    async def act(cluster, _pool):
        assert re.fullmatch(r"/user/alice/proxy/\d+/status", cluster.dashboard_link)

    with_cluster(act)
