"""Two real pools on one machine, each with a key and a domain of its own: ours, and one that others run plainly."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from driver import Driver, Event, Payload, cleared, wait_until
from glideins import Running, glidein, simulated

from mlinfn_condor.accounting.recorder import Recorder
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import lifecycle, secrets
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.settings import Settings
from mlinfn_condor.store import connect, migrate

HOME, TIER = "site", "tier"
GUEST = "site"
"""Identity in the other pool that our access point advertises its submitters with."""
PLAIN = f"""
JOB_TRANSFORM_NAMES =
SUBMIT_REQUIREMENT_NAMES =
ALLOW_ADVERTISE_SCHEDD = condor@{TIER}, {GUEST}@{TIER}
DAEMON_LIST = $(DAEMON_LIST) STARTD
STARTD_NAME = far
START = true
RANK = 0
PREEMPT = false
NUM_CPUS = 2
MEMORY = 2048
MACHINE_RESOURCE_INVENTORY_GPUs =
MACHINE_RESOURCE_INVENTORY_FPGAs =
MACHINE_RESOURCE_GPUs = GPU-far-0, GPU-far-1
MODIFY_REQUEST_EXPR_REQUESTCPUS =
MODIFY_REQUEST_EXPR_REQUESTMEMORY =
MODIFY_REQUEST_EXPR_REQUESTDISK =
SLOT_TYPE_1 = 100%
NUM_SLOTS_TYPE_1 = 1
SLOT_TYPE_1_PARTITIONABLE = true
SLOT_WEIGHT = Cpus
USER_JOB_WRAPPER =
"""
"""The other pool: our identity and numbers, and HTCondor's own policy on queue, negotiator and node."""
OURS = """
SCHEDD.SEC_TOKEN_DIRECTORY = {tokens}
MLINFN_FLOCK_POOLS = 127.0.0.1:{port}
MLINFN_FLOCK_PROJECTS = alpha
MLINFN_BATCH_QUEUE_SECONDS = 2
"""
INTERACTIVE, DASK, BATCH = PriorityClass.INTERACTIVE, PriorityClass.DASK, PriorityClass.BATCH
BRINGS_FILES = {"should_transfer_files": "YES", "request_gpus": 1}
MARKED = BRINGS_FILES | {"plus_MlinfnMayFlock": "true"}
THEIR_ACCESS_POINT = INTERACTIVE
"""To be used in the other pool: our batch@ overwrites its batch@ in the collector, being on one machine with it."""


@pytest.fixture(scope="module")
def tier_pool(pool_home: Path) -> Iterator[RunningPool]:
    settings = Settings(home=pool_home, pool=TIER)
    yield lifecycle.up(settings, blueprint=Blueprint(nodes=(), overrides=PLAIN))
    lifecycle.down(settings, graceful_seconds=0)


@pytest.fixture(scope="module")
def home_pool(pool_home: Path, tier_pool: RunningPool) -> Iterator[RunningPool]:
    settings = Settings(home=pool_home, pool=HOME)
    tokens = tier_pool.layout.folder / "secrets/for-our-access-point"
    give_token(tier_pool, tokens, GUEST, "ADVERTISE_SCHEDD")
    overrides = OURS.format(tokens=tokens, port=port(tier_pool))
    blueprint = Blueprint(nodes=(simulated("desk", 1),), use_real_devices=False, overrides=overrides)
    yield lifecycle.up(settings, blueprint=blueprint)
    lifecycle.down(settings, graceful_seconds=0)


@pytest.fixture
def tier(tier_pool: RunningPool, tmp_path: Path) -> Iterator[Driver]:
    (folder := tmp_path / "tier").mkdir()
    with cleared(Driver(tier_pool, folder)) as ready:
        wait_until(lambda: ready.slots("PartitionableSlot"), 60, "its node")
        yield ready


@pytest.fixture
def home(home_pool: RunningPool, tier: Driver, tmp_path: Path) -> Iterator[Driver]:
    """Cleared before the other pool is: its jobs there end with it."""
    (folder := tmp_path / "home").mkdir()
    with cleared(Driver(home_pool, folder)) as ready:
        yield ready


@pytest.fixture
def guest(tier: Driver) -> Iterator[Running]:
    """Our glidein in the other pool."""
    tokens = tier.pool.layout.folder / "secrets/for-our-glideins"
    give_token(tier.pool, tokens, "glidein", "ADVERTISE_STARTD")
    whose = {"tokens": tokens, "pool": "tier1", "our_domains": HOME, "our_users": f"carol@{TIER}"}
    with glidein(tier, "guest", site="ours", owner_project="alpha", **whose) as one:
        yield one.joined()


def give_token(pool: RunningPool, folder: Path, identity: str, level: str) -> None:
    """What that pool's administrator hands out: a token that is good for one thing."""
    command = [pool.distribution.bin / "condor_token_create", "-identity", f"{identity}@{TIER}", "-authz", level]
    made = subprocess.run(command, env=os.environ | pool.environment(), capture_output=True, check=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    secrets.write_private(folder / identity, made.stdout)


def port(pool: RunningPool) -> str:
    return pool.layout.port.read_text().strip()


def place(driver: Driver, payload: Payload) -> dict[str, Any]:
    """The slot that it runs in, by the collector of that pool."""
    job = f"{payload.cluster}.{payload.proc}"
    (slot,) = wait_until(lambda: driver.slots(f'JobId == "{job}"'), 30, f"the slot of {payload}")
    return slot


def recorded(home: Driver, database: str, payload: Payload) -> list[dict[str, Any]]:
    """Its attempts, first one first."""
    with connect(database, autocommit=True) as connection:
        done = Recorder(connection, home.pool.layout.spools).read_all()
        assert done.refused == 0
        rows = connection.execute(
            "SELECT node, slot, devices, outcome, username, project, class FROM mlinfn.attempt "
            "WHERE access_point = 'batch@' AND cluster = %s ORDER BY started_at, ended_at",
            [payload.cluster],
        )
        names = [column.name for column in rows.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows]


def test_a_marked_job_flocks_when_the_pool_is_full_and_comes_home_as_ordinary(home, tier, database):
    (held,) = home.submit(INTERACTIVE, user="bob", request_gpus=1)
    held.wait_for("computing")
    stays = [
        home.submit(**BRINGS_FILES)[0],
        home.submit(plus_MlinfnMayFlock="true", request_gpus=1)[0],
        home.submit(DASK, **MARKED)[0],
        home.submit(user="bob", **MARKED)[0],
        home.submit(INTERACTIVE, user="carol", **MARKED)[0],
    ]
    (marked,) = home.submit(plus_RemotePool='"a.lie:1"', **MARKED)
    assert far_devices(marked.wait_for("computing"))
    asked = ("condor_qedit", "-name", "batch@", str(marked.cluster), "RemotePool", '"a.lie:1"')
    assert home.run(*asked, check=False).returncode != 0
    assert not any(payload.has("started") for payload in stays)
    for payload in (held, *stays):
        home.run("condor_rm", "-name", payload.priority_class.access_point, str(payload.cluster), user="admin")
    (theirs,) = tier.slots("PartitionableSlot")
    tier.run("condor_drain", str(theirs["Name"]), user="admin")
    back = marked.wait_for("computing", count=2)
    assert back.devices == ("GPU-desk-T4-0",)
    home.run("condor_rm", "-name", "batch@", str(marked.cluster))
    migrate(database)
    tier.run("condor_drain", "-cancel", str(theirs["Name"]), user="admin")
    first, second = wait_until(
        lambda: found if len(found := recorded(home, database, marked)) == 2 else [], 60, "two attempts"
    )
    assert (first["node"], first["outcome"]) == (f"far@127.0.0.1:{port(tier.pool)}", "displaced")
    assert far_devices(Event(0, "", tuple(first["devices"])))
    assert (second["node"], second["devices"], second["outcome"]) == ("desk", ["GPU-desk-T4-0"], "removed")
    for attempt in (first, second):
        assert (attempt["username"], attempt["project"], attempt["class"]) == ("alice", "alpha", "batch")


def test_our_glidein_in_their_pool_starts_our_jobs_and_no_strangers(home, guest):
    tier = guest.driver
    mine = 'TARGET.MlinfnPool == "tier1"'
    wish = BRINGS_FILES | {"requirements": mine}
    forged = {
        "plus_Project": '"alpha"',
        "plus_AuthTokenSubject": f'"carol@{TIER}"',
        "plus_AcctGroup": '"group_batch.alpha"',
        "accounting_group_user": "carol",
    }
    (stranger,) = tier.submit(THEIR_ACCESS_POINT, user="bob", **wish, **forged)
    (ours,) = tier.submit(THEIR_ACCESS_POINT, user="carol", **wish)
    ours.wait_for("computing")
    assert place(tier, ours)["MlinfnOffer"] == "opportunistic", "their access point lets anybody call it a session"
    (flocked,) = home.submit(**MARKED, requirements=mine)
    flocked.wait_for("computing")
    assert place(tier, flocked)["RemoteUser"] == f"alice@{HOME}"
    tier.run("condor_rm", "-name", THEIR_ACCESS_POINT.access_point, str(ours.cluster), user="carol")
    wait_until(lambda: len(guest.slots("DynamicSlot")) == 1, 60, "a device that nobody has")
    (next_one,) = tier.submit(THEIR_ACCESS_POINT, user="carol", **wish)
    next_one.wait_for("computing")
    assert not stranger.has("started"), "it was there before"


def test_a_user_cannot_write_who_he_is(tier):
    """What a glidein in that pool goes by is the access point's word."""
    with pytest.raises(AssertionError, match="Setting owner to carol when active owner is bob is not permitted"):
        tier.submit(THEIR_ACCESS_POINT, user="bob", plus_Owner='"carol"')
    (job,) = tier.submit(THEIR_ACCESS_POINT, user="bob", requirements="false", plus_User=f'"carol@{TIER}"')
    (ad,) = tier.jobs(THEIR_ACCESS_POINT, f"ClusterId == {job.cluster}")
    assert ad["User"] == f"bob@{TIER}"
    for who in (f"carol@{TIER}", f"alice@{HOME}"):
        edit = ("condor_qedit", "-name", THEIR_ACCESS_POINT.access_point, str(job.cluster), "User", f'"{who}"')
        tier.run(*edit, user="bob", check=False)
    (ad,) = tier.jobs(THEIR_ACCESS_POINT, f"ClusterId == {job.cluster}")
    assert ad["User"] == f"bob@{TIER}"


def test_sessions_have_no_other_pool(home, tier):
    asked = ("condor_config_val", "-local-name", "INTERACTIVE", "FLOCK_COLLECTOR_HOSTS")
    assert "Not defined" in home.run(*asked, check=False).stderr


def far_devices(event: Event) -> bool:
    return bool(event.devices) and all(device.startswith("GPU-far-") for device in event.devices)
