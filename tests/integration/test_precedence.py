"""Among dask, owners and guests: who displaces whom on the backfill slots, on a pool where alpha owns the A30."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from driver import Driver, Payload, cleared

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.servers import SERVER1, SERVER2
from mlinfn_condor.settings import Settings

INTERACTIVE, DASK, BATCH = PriorityClass.INTERACTIVE, PriorityClass.DASK, PriorityClass.BATCH
A30 = 'DeviceModel == "A30"'
OWNER, GUEST = "alice", "bob"
"""alice is in alpha, bob in beta."""


@pytest.fixture(scope="module")
def owned_pool(pool_home: Path) -> Iterator[RunningPool]:
    """A second pool on this machine, beside the one of the other tests."""
    devices = tuple(replace(device, owner="alpha" if device.model == "A30" else None) for device in SERVER2.devices)
    settings = Settings(home=pool_home, pool="owned")
    blueprint = Blueprint(nodes=(SERVER1, replace(SERVER2, devices=devices)), use_real_devices=False)
    yield lifecycle.up(settings, blueprint=blueprint)
    lifecycle.down(settings, graceful_seconds=0)


@pytest.fixture
def owned(owned_pool: RunningPool, tmp_path: Path) -> Iterator[Driver]:
    with cleared(Driver(owned_pool, tmp_path)) as driver:
        yield driver


def on_a30(driver: Driver, priority_class: PriorityClass, user: str, **lines: object) -> Payload:
    return driver.submit(priority_class, user=user, request_gpus=1, require_gpus=A30, **lines)[0]


@pytest.mark.parametrize(
    ("sitting", "sitting_user", "coming", "coming_user"),
    [
        (BATCH, GUEST, DASK, GUEST),
        (BATCH, GUEST, BATCH, OWNER),
        (DASK, GUEST, BATCH, OWNER),
        (BATCH, OWNER, DASK, OWNER),
        (INTERACTIVE, GUEST, INTERACTIVE, OWNER),
    ],
    ids=[
        "dask over batch",
        "the owner's batch over a guest's",
        "the owner's batch over a guest's dask",
        "the owner's dask over his batch",
        "the owner's session over a guest's",
    ],
)
def test_displaces_with_the_whole_window(
    owned: Driver, sitting: PriorityClass, sitting_user: str, coming: PriorityClass, coming_user: str
) -> None:
    victim = on_a30(owned, sitting, sitting_user, leave_seconds=3)
    victim.wait_for("computing", 40)
    newcomer = on_a30(owned, coming, coming_user)
    computing = newcomer.wait_for("computing", 60)
    left, asked = victim.wait_for("left"), victim.wait_for("asked-to-leave")
    assert left.when - asked.when >= 3
    assert left.when <= computing.when
    assert computing.devices == left.devices


@pytest.mark.parametrize(
    ("sitting", "sitting_user", "coming", "coming_user"),
    [
        (BATCH, OWNER, BATCH, GUEST),
        (BATCH, OWNER, DASK, GUEST),
        (DASK, GUEST, BATCH, GUEST),
        (BATCH, GUEST, BATCH, GUEST),
        (INTERACTIVE, OWNER, INTERACTIVE, GUEST),
        (INTERACTIVE, GUEST, INTERACTIVE, GUEST),
    ],
    ids=[
        "a guest's batch for the owner's",
        "a guest's dask for the owner's batch",
        "batch for dask",
        "batch for batch",
        "a guest's session for the owner's",
        "a guest's session for a guest's",
    ],
)
def test_waits(
    owned: Driver, sitting: PriorityClass, sitting_user: str, coming: PriorityClass, coming_user: str
) -> None:
    holder = on_a30(owned, sitting, sitting_user)
    holder.wait_for("computing", 40)
    newcomer = on_a30(owned, coming, coming_user)
    # A payload submitted later, which starts, shows that negotiation has seen the newcomer in the meantime.
    owned.submit(coming, user=coming_user, request_gpus=1, require_gpus='DeviceModel == "T4"')[0].wait_for(
        "computing", 60
    )
    assert not newcomer.has("started")
    assert not holder.has("asked-to-leave")


def test_a_displaced_payload_never_displaces_back(owned: Driver) -> None:
    victim = on_a30(owned, BATCH, GUEST)
    victim.wait_for("computing", 40)
    owner = on_a30(owned, BATCH, OWNER, run_seconds=2)
    owner.wait_for("finished", 60)
    victim.wait_for("computing", 60, count=2)
    assert not owner.has("asked-to-leave")
