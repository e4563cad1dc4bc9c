"""Training in an image on the embedded pool, with Apptainer and without root: the templates' container variant."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from containers import Containers, host_binds
from driver import Driver, cleared, wait_until
from glideins import simulated

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.settings import Settings
from mlinfn_condor.shipped import shipped

MLINFN = str(Path(sys.executable).with_name("mlinfn"))
TEMPLATES = shipped("submit_templates")
SECONDS = 60
EPOCHS = 1000
"""More than it gets to."""


@pytest.fixture(scope="module")
def pool(pool_home: Path, containers: Containers) -> Iterator[lifecycle.RunningPool]:
    """One node with one device, which can run images."""
    settings = Settings(home=pool_home, pool="images")
    overrides = f"SINGULARITY = {containers.apptainer}\nMLINFN_IMAGE_BIND = {host_binds()}\n"
    yield lifecycle.up(settings, blueprint=Blueprint(nodes=(simulated("one", gpus=1),), overrides=overrides))
    lifecycle.down(settings, graceful_seconds=0)


@pytest.fixture
def driver(pool: lifecycle.RunningPool, tmp_path: Path) -> Iterator[Driver]:
    with cleared(Driver(pool, tmp_path)) as ready:
        yield ready


def finished(driver: Driver) -> None:
    wait_until(lambda: not driver.jobs(PriorityClass.BATCH), SECONDS, "the job has left the queue")


def test_a_training_in_an_image_runs_the_images_commands_in_its_own_folder(driver: Driver, image: Path) -> None:
    words = "whose >answer; touch $TMPDIR/there $_CONDOR_SCRATCH_DIR/too; echo $CUDA_VISIBLE_DEVICES"
    submit = [MLINFN, "submit", "training", "--gpus", "1", "--image", str(image), "--disk-mb", "10", "--watch"]
    done = driver.run(*submit, "--", "sh", "-c", words)
    (cluster,) = re.findall(r"batch@(\d+)\.0 ", done.stdout)
    assert (driver.folder / f"training.{cluster}.0.err").read_text() == ""
    assert (driver.folder / f"training.{cluster}.0.out").read_text() == "GPU-one-T4-0\n"
    assert (driver.folder / "answer").read_text() == "the image's\n"


def test_a_displaced_training_in_an_image_saves_and_goes_on(
    driver: Driver, containers: Containers, tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    image = containers.make_python_image(tmp_path / "image")
    train = [sys.executable, "-m", "mlinfn_condor.training.digits", "--folder", "checkpoints"]
    train += ["--epochs", str(EPOCHS), "--epoch-seconds", "0.2"]
    driver.run(MLINFN, "submit", "training", "--gpus", "1", "--image", str(image), "--", *train)
    log = driver.folder / "checkpoints" / "progress.log"
    wait_until(lambda: log.exists() and "epoch 2 of" in log.read_text(), SECONDS, "two epochs")
    (session,) = driver.submit(PriorityClass.INTERACTIVE, user="bob", request_gpus=1)
    session.wait_for("computing", 40)
    assert "displaced: saved after" in log.read_text(), "the session had the device only when the training was gone"
    assert driver.jobs(PriorityClass.BATCH, "JobStatus == 1"), "it waits in the queue"

    driver.run("condor_rm", "-name", "interactive@", str(session.cluster), user="bob")
    wait_until(lambda: f"of {EPOCHS} epochs, 0.00 lost" in log.read_text(), SECONDS, "it goes on where it was")
    resumed = log.read_text().rpartition("resumes after")[2]
    assert not resumed.startswith(" 0.00 "), resumed


def test_jobs_of_a_sweep_in_an_image_that_leave_with_85_are_started_again(driver: Driver, image: Path) -> None:
    (driver.folder / "runs.csv").write_text("name\none\ntwo\n")
    (driver.folder / "train.sh").write_text("[ -e $1 ] || { echo saved >$1; exit 85; }; cat $1 /etc/whose\n")
    submit = [MLINFN, "submit", "sweep", "runs.csv", "--image", str(image), "--memory-mb", "128", "--disk-mb", "10"]
    done = driver.run(*submit, "--watch", "--", "sh", "train.sh", "{name}")
    (cluster,) = re.findall(r"batch@(\d+)\.0 ", done.stdout)
    said = [(driver.folder / f"sweep.{cluster}.{row}.out").read_text() for row in range(2)]
    assert said == ["saved\nthe image's\n"] * 2


def test_checkpoints_are_carried_to_and_from_an_image_where_no_home_is_shared(driver: Driver, image: Path) -> None:
    (driver.folder / "train.sh").write_text(
        "mkdir -p ck; touch $TMPDIR/there; [ -e ck/1 ] || { pwd >ck/1; exit 85; }; cat ck/1\n"
    )
    carried = [f"image={image}", "carried=ck", "inputs=train.sh", "command=sh train.sh", "memory=128MB", "disk=10MB"]
    driver.run("condor_submit", str(TEMPLATES / "training.sub"), *carried)
    finished(driver)
    (output,) = driver.folder.glob("training.*.0.out")
    assert str(driver.pool.layout.folder / "execute") in output.read_text(), "it ran in its scratch folder"
    assert not (driver.folder / "ck").exists(), "it never was in the home"
