"""Contracts on a real pool: head-room stays free, pledges come back, and limits count what runs."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Driver, Payload, cleared, wait_until

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.contracts.render import render
from mlinfn_condor.contracts.settings import parse
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.settings import Settings

CONTRACTS = """
[pool]
projects = ["alpha", "beta"]
[pool.nodes.server1]
gpus = { T4 = 8, RTX5000 = 5 }
[pool.nodes.server2]
gpus = { A30 = 1, A100 = 2 }
fpgas = { U50 = 2, U250 = 1 }
[pledges.batch]
alpha = { devices = 8 }
beta = { devices = 4 }
[[headroom]]
model = "T4"
free = 2
[[windows]]
models = ["A100"]
hours = "0-24"
[limits.users]
carol = 2
"""
OPEN = {"T4": 6, "RTX5000": 5, "A30": 1}
"""What batch may have."""


@pytest.fixture(scope="module")
def contracted_pool(pool_home: Path) -> Iterator[RunningPool]:
    settings = Settings(home=pool_home, pool="contracted")
    blueprint = Blueprint(use_real_devices=False, overrides=render(parse(CONTRACTS, "contracts")))
    yield lifecycle.up(settings, blueprint=blueprint)
    lifecycle.down(settings, graceful_seconds=0)


@pytest.fixture
def contracted(contracted_pool: RunningPool, tmp_path: Path) -> Iterator[Driver]:
    with cleared(Driver(contracted_pool, tmp_path)) as driver:
        yield driver


def computing(payloads: list[Payload]) -> list[Payload]:
    return [payload for payload in payloads if payload.events() and payload.events()[-1].what == "computing"]


def models(payloads: list[Payload]) -> Counter[str]:
    return Counter(device.split("-")[2] for payload in payloads for device in payload.events()[-1].devices)


@pytest.mark.slow
def test_batch_fills_all_but_what_is_held_back_and_a_pledge_comes_back(contracted):
    # Of its node's devices the A30 is not the one that a job of any model would be given.
    guests = contracted.submit(user="bob", count=20, request_gpus=1)
    guests += contracted.submit(user="bob", request_gpus=1, require_gpus='DeviceModel == "A30"')
    wait_until(lambda: len(computing(guests)) >= sum(OPEN.values()), 60, "batch on all that is open")

    session = contracted.submit(PriorityClass.INTERACTIVE, user="alice", request_gpus=1, run_seconds=1)[0]
    session.wait_for("finished")
    assert models(computing(guests)) == OPEN  # the session came and went, some cycles later
    assert not any(guest.has("asked-to-leave") for guest in guests)

    entitled = contracted.submit(user="alice", count=10, request_gpus=1)
    both = (8, 4)
    wait_until(lambda: (len(computing(entitled)), len(computing(guests))) == both, 90, "both have their pledges")
    # On a device that is held back: one that displaces somebody would begin another round of giving back.
    on_t4 = {"request_gpus": 1, "require_gpus": 'DeviceModel == "T4"'}
    later = contracted.submit(PriorityClass.INTERACTIVE, user="alice", run_seconds=1, **on_t4)[0]
    later.wait_for("finished")
    wait_until(lambda: (len(computing(entitled)), len(computing(guests))) == both, 30, "and keep them")
    assert sum(guest.has("asked-to-leave") for guest in guests) == 8  # as many as were due


def test_a_user_runs_no_more_devices_than_his_limit(contracted):
    mine = contracted.submit(PriorityClass.DASK, user="carol", count=4, request_gpus=1)
    other = contracted.submit(user="bob", count=1, request_gpus=1)
    wait_until(lambda: len(computing(mine)) >= 2 and computing(other), 60, "two of the limited user, one of another")
    session = contracted.submit(PriorityClass.INTERACTIVE, user="bob", request_gpus=1, run_seconds=1)[0]
    session.wait_for("finished")
    assert len(computing(mine)) == 2
    running = computing(mine)[0]
    contracted.run("condor_rm", "-name", "batch@", f"{running.cluster}.{running.proc}", user="carol")
    wait_until(lambda: len(computing(mine)) == 2 and running not in computing(mine), 60, "the next one in his place")
