"""A JupyterLab session as a person submits it by hand, while batch has all devices of its model."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Driver, wait_until
from notebook import SECONDS, Cell, Kernel

from mlinfn_condor.session.folder import SessionFolder, prepare, wait_until_answering
from mlinfn_condor.shipped import shipped

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="jobs refuse root; `make test` runs as another user")


@pytest.fixture
def folder(driver: Driver) -> Iterator[SessionFolder]:
    folder = prepare(Path(driver.pool.environment("bob")["MLINFN_USER_HOME"]), "one")
    yield folder
    driver.clear()
    wait_until(lambda: folder.server() is None, SECONDS, "the session withdrew its address")


def submit(driver: Driver, folder: SessionFolder, *words: str) -> None:
    template = shipped("submit_templates") / "session.sub"
    places = [f"folder={folder.path}", f"root={folder.path.parent}"]
    driver.run("condor_submit", "-name", "interactive@", str(template), *places, *words, user="bob")


def test_the_page_opens_at_once_and_the_first_cell_waits(folder: SessionFolder, driver: Driver) -> None:
    a100 = 'DeviceModel == "A100"'
    for batch in driver.submit(count=2, request_gpus=1, require_gpus=a100, leave_seconds=15):
        batch.wait_for("computing")
    submit(driver, folder, "gpus=1", "model=A100")
    session = wait_until_answering(folder, SECONDS)
    kernel = Kernel(session, folder.token())
    told: list[str] = []

    def remember(cell: Cell) -> None:
        told.extend(output for output in cell.outputs if output not in told)

    cell = kernel.run("import os; print(os.environ['_CONDOR_AssignedGPUs'])", remember)
    kernel.socket.close()
    assert re.fullmatch(r"The GPU is being handed over by a batch job that is saving .*, at most \d+ s left", told[0])
    assert cell.outputs == ["Your GPU (A100, simulated) is ready", f"{session.devices[0]}\n"]


def test_a_session_without_device_waits_for_nothing_and_shows_no_secret(folder: SessionFolder, driver: Driver) -> None:
    submit(driver, folder)
    session = wait_until_answering(folder, SECONDS)
    kernel = Kernel(session, folder.token())
    assert kernel.run("print('runs')").outputs == ["runs\n"]
    kernel.socket.close()
    ads = driver.run("condor_q", "-name", "interactive@", "-all", "-long").stdout
    assert session.devices == []
    assert str(folder.path) in ads
    assert folder.token() not in ads


def test_a_home_that_is_full_on_its_node_ends_the_session_with_its_reason(
    folder: SessionFolder, driver: Driver
) -> None:
    submit(driver, folder, "root=/proc")  # a disk on which nothing is free
    job = wait_until(lambda: ended(driver), SECONDS, "the session has ended")
    told = driver.run(sys.executable, "-m", "mlinfn_condor.cli", "why", f"interactive@{job}", user="bob").stdout
    assert "with exit code 1" in told
    assert "Its last words: the home /proc is full (0 MB are left of its disk): remove files" in told
    assert folder.last_words() in told


def ended(driver: Driver) -> str:
    """Of bob's sessions without a home the last one; empty while none has ended."""
    mine = 'Owner == "bob" && Iwd == "/proc"'
    told = driver.run("condor_history", "-name", "interactive@", "-constraint", mine, "-af", "ClusterId").stdout.split()
    return f"{told[0]}.0" if told else ""
