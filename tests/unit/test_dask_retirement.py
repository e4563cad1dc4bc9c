"""A worker that closes hands over what only it holds; and closes all the same when there is nobody to hand it to."""

import asyncio
import socket

import pytest

pytest.importorskip("distributed")

import dask
from distributed import Client, Nanny, Scheduler, wait
from lived import lived

from mlinfn_condor.dask import retirement

ON_LOOPBACK = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}


def nanny(address):
    return Nanny(
        address,
        nthreads=1,
        host="127.0.0.1",
        preload_nanny=[retirement.__name__],
        memory_limit=0,
        death_timeout=30,
    )


def with_two_workers(act):
    async def run():
        async with (
            Scheduler(port=0, **ON_LOOPBACK) as scheduler,
            nanny(scheduler.address) as leaving,
            nanny(scheduler.address),
            Client(scheduler.address, asynchronous=True) as client,
        ):
            await client.wait_for_workers(2)
            await act(scheduler, leaving, client)

    asyncio.run(run())


def computed(number, journal):
    with journal.open("a") as file:
        file.write(f"{number}\n")
    return number


def test_results_outlive_their_worker(tmp_path, monkeypatch):
    # However long a busy machine takes for it: what is tried here is that they are handed over.
    monkeypatch.setattr(retirement, "RETIRE_SECONDS", 60)
    monkeypatch.setattr(retirement, "CONNECT_SECONDS", 60)
    journal = tmp_path / "computed"

    async def act(_scheduler, leaving, client):
        here = {"workers": [leaving.worker_address], "allow_other_workers": True}
        futures = client.map(computed, range(10), journal=journal, **here)
        await wait(futures)
        await leaving.close(reason="test")
        assert sum(await client.gather(futures)) == 45

    with_two_workers(act)
    assert sorted(journal.read_text().split()) == [str(number) for number in range(10)], "each computed once"


def test_a_worker_leaves_soon_when_its_scheduler_is_gone():
    async def run():
        async with Scheduler(port=0, **ON_LOOPBACK) as scheduler:
            worker = await nanny(scheduler.address)
            await scheduler.close()
            with lived() as seconds:
                await worker.close(reason="test")
            assert seconds() < retirement.RETIRE_SECONDS

    asyncio.run(run())


def test_a_handover_that_takes_too_long_is_given_up(monkeypatch, caplog):
    monkeypatch.setattr(retirement, "RETIRE_SECONDS", 0.1)
    caplog.set_level("INFO", "distributed.nanny.retirement")

    async def act(scheduler, leaving, _client):
        async def never(**_options):
            await asyncio.Event().wait()

        scheduler.handlers["retire_workers"] = never
        await leaving.close(reason="test")

    with_two_workers(act)
    assert "not done within 0.1 s" in caplog.text


def test_a_nanny_waits_for_its_scheduler_longer_than_for_any_connection(unused_port):
    async def run():
        with dask.config.set({"distributed.comm.timeouts.connect": "0.2s"}):
            coming = asyncio.create_task(begun(nanny(f"tcp://127.0.0.1:{unused_port}")))
            done, _ = await asyncio.wait({coming}, timeout=1.5)
            assert not done, "five times as long as a connection may take"
        async with Scheduler(port=unused_port, **ON_LOOPBACK):
            worker = await coming
            await worker.close(reason="test")

    asyncio.run(run())


async def begun(nanny):
    return await nanny


@pytest.fixture
def unused_port():
    """A port at which nobody listens. It is kept from everybody but a server, which may share it (SO_REUSEADDR)."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]
