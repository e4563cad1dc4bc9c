"""Drivers for a pool with nodes and for one without, with an empty queue before and after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from as_users import at_work, people  # noqa: F401 - fixtures of what only root can run
from containers import containers, image  # noqa: F401 - fixtures of tests that run images
from driver import Driver, cleared
from postgres import database, postgres  # noqa: F401 - fixtures of every integration test

from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.settings import Settings

LEASE_SECONDS = 20
"""Of jobs in the pool without nodes: the shipped 40 minutes are no time to wait for a node that was killed."""


@pytest.fixture
def driver(running_pool: RunningPool, tmp_path: Path) -> Iterator[Driver]:
    with cleared(Driver(running_pool, tmp_path)) as ready:
        yield ready


@pytest.fixture(scope="session")
def bare_pool(pool_home: Path) -> Iterator[RunningPool]:
    """A central manager and two access points; nodes come to it from outside."""
    settings = Settings(home=pool_home, pool="bare")
    overrides = f"MLINFN_JOB_LEASE_SECONDS = {LEASE_SECONDS}\nCLASSAD_LIFETIME = 30\nCOLLECTOR_UPDATE_INTERVAL = 10\n"
    yield lifecycle.up(settings, blueprint=Blueprint(nodes=(), overrides=overrides))
    lifecycle.down(settings, graceful_seconds=0)


@pytest.fixture
def bare(bare_pool: RunningPool, tmp_path: Path) -> Iterator[Driver]:
    with cleared(Driver(bare_pool, tmp_path)) as ready:
        yield ready
