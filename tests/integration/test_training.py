"""A training submitted by hand, displaced by a session: it saves itself, waits, goes on, and ends as if undisturbed."""

import json
from pathlib import Path

import pytest
from driver import Driver, wait_until

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.shipped import shipped

pytest.importorskip("sklearn")

TEMPLATE = shipped("submit_templates") / "training.sub"
EPOCHS = 40


def submit_training(driver: Driver, folder: str) -> None:
    (driver.folder / folder).mkdir()
    command = f"python -m mlinfn_condor.training.digits --folder checkpoints --epochs {EPOCHS} --epoch-seconds 0.2"
    driver.run(
        "condor_submit", str(TEMPLATE), f"command={command}", "gpus=1", "model=A30", f"folder={driver.folder / folder}"
    )


def progress(folder: Path) -> str:
    log = folder / "checkpoints" / "progress.log"
    return log.read_text() if log.exists() else ""


def test_a_displaced_training_ends_as_if_undisturbed(driver: Driver) -> None:
    mine = driver.folder / "mine"
    submit_training(driver, "mine")
    wait_until(lambda: "epoch 2 of" in progress(mine), 60, "two epochs")

    (session,) = driver.submit(
        PriorityClass.INTERACTIVE, user="bob", request_gpus=1, require_gpus='DeviceModel == "A30"'
    )
    session.wait_for("computing", 40)
    assert "displaced: saved after" in progress(mine), "the session had the device only when the training was gone"
    assert driver.jobs(PriorityClass.BATCH, "JobStatus == 1"), "it waits in the queue"

    driver.run("condor_rm", "-name", "interactive@", str(session.cluster), user="bob")
    wait_until((mine / "checkpoints" / "result.json").exists, 90, "the result")
    result = json.loads((mine / "checkpoints" / "result.json").read_text())
    assert {name: result[name] for name in ("epochs", "resumed", "lost_epochs")} == {
        "epochs": EPOCHS,
        "resumed": 1,
        "lost_epochs": 0,
    }
    wait_until(lambda: not driver.jobs(PriorityClass.BATCH), 30, "the finished job to leave the queue")


def test_a_training_that_somebody_else_told_to_leave_goes_back_to_the_queue(driver: Driver) -> None:
    """As when a node shuts down: SIGTERM to the process, and HTCondor knows nothing of it."""
    mine = driver.folder / "mine"
    submit_training(driver, "mine")
    wait_until(lambda: "epoch 2 of" in progress(mine), 60, "two epochs")
    (pid,) = [p.name for p in Path("/proc").glob("[0-9]*") if runs_in(p, mine)]
    driver.run("kill", "-TERM", pid)
    wait_until((mine / "checkpoints" / "result.json").exists, 90, "the result")
    assert json.loads((mine / "checkpoints" / "result.json").read_text())["resumed"] == 1


def runs_in(process: Path, folder: Path) -> bool:
    try:
        return b"training.digits" in (process / "cmdline").read_bytes() and (process / "cwd").resolve() == folder
    except OSError:  # ended meanwhile, or another user's
        return False
