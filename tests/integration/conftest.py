"""A driver for the real pool, with an empty queue before and after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Driver, cleared
from postgres import database, postgres  # noqa: F401 - fixtures of every integration test

from mlinfn_condor.embedded.lifecycle import RunningPool


@pytest.fixture
def driver(running_pool: RunningPool, tmp_path: Path) -> Iterator[Driver]:
    with cleared(Driver(running_pool, tmp_path)) as ready:
        yield ready
