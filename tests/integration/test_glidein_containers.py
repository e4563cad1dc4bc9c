"""Container-universe jobs run in their image on a glidein, with Apptainer and without privilege."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from containers import Containers
from driver import Driver, wait_until
from glideins import SITE, glidein

from mlinfn_condor.glidein.configuration import own_folder
from mlinfn_condor.node.images import make_test_image
from mlinfn_condor.pool import ImageKind


def job(bare: Driver, image: Path, requirements: str) -> None:
    (bare.folder / "run").write_text("#!/bin/sh\ncat /etc/whose /mnt/passwd\necho $_CONDOR_AssignedGPUs\n")
    (bare.folder / "run").chmod(0o755)
    lines = {
        "universe": "container",
        "container_image": image,
        "executable": bare.folder / "run",
        "transfer_executable": "true",
        "should_transfer_files": "YES",
        "transfer_container": "false",
        "arguments": "",
        "environment": '"APPTAINER_BIND=/etc:/mnt APPTAINER_BINDPATH=/etc:/mnt"',
        "output": bare.folder / "said",
        "request_gpus": 1,
    }
    bare.submit(requirements=requirements, **lines)


MLINFN = str(Path(sys.executable).with_name("mlinfn"))
TRAIN = """
trap 'echo $n >saved; exit 85' TERM
n=$(cat saved || echo 0)
echo $n >>starts
until [ -e enough ]; do n=$((n + 1)); echo $n >step; sleep 0.1; done
"""


def able(containers: Containers, folder: Path, *more: str) -> Path:
    """A site's file for a glidein that runs images."""
    site = folder / "site.conf"
    # Where Apptainer can have overlays it mounts the job's folder at its own path, else at one that the image has.
    lines = [f"SINGULARITY = {containers.apptainer}", "SINGULARITY_TARGET_DIR = /srv", *more]
    site.write_text(SITE + "\n".join(lines) + "\n")
    return site


def with_a_file_to_try(containers: Containers, release: Path, folder: Path) -> Path:
    """HTCondor's libexec with the test image that Debian leaves out, as the image of a glidein has it."""
    libexec = folder / "libexec"
    shutil.copytree(own_folder(release, "libexec"), libexec, copy_function=os.symlink)
    make_test_image(libexec, folder / "test-image")
    containers.make_file(folder / "test-image", libexec / "exit_37.sif")
    return libexec


def test_a_user_image_runs_without_privilege(bare, containers, image, tmp_path):
    with glidein(bare, "images", site_config=able(containers, tmp_path)) as one:
        one.joined()
        assert one.slots("HasSingularity && HasContainer && HasUserNamespaces")
        job(bare, image, one.mine)
        said = bare.folder / "said"
        text = wait_until(
            lambda: said.exists() and "GPU" in said.read_text() and said.read_text(), 60, "the job has run"
        )
        assert text.splitlines()[0] == "the image's"
        assert text.splitlines()[1].startswith("GPU-images-T4-")
        assert len(text.splitlines()) == 2, "the job's variables mount nothing"


@pytest.mark.parametrize("kind", [ImageKind.FOLDER, ImageKind.FILE])
def test_a_training_behind_a_shell_in_an_image_goes_on_where_it_was_told_to_leave(
    bare, containers, image, tmp_path, kind
):
    (bare.folder / "train.sh").write_text(TRAIN)
    more = []
    if kind is ImageKind.FILE:
        image = containers.make_file(image, tmp_path / "image.sif")
        libexec = with_a_file_to_try(containers, bare.pool.distribution.release_dir, tmp_path)
        more = [f"LIBEXEC = {libexec}"]
    with glidein(bare, f"leaving-{kind.name.lower()}", site_config=able(containers, tmp_path, *more)) as one:
        one.joined()
        assert one.slots(kind)
        bare.run(MLINFN, "submit", "training", "--gpus", "1", "--image", str(image), "--", "sh", "train.sh")
        wait_until((bare.folder / "step").exists, 60, "it trains")
        bare.run("condor_vacate_job", "-name", "batch@", "-all")
        starts = bare.folder / "starts"
        wait_until(lambda: len(starts.read_text().splitlines()) == 2, 60, "it trains again")
        (bare.folder / "enough").touch()
        first, second = map(int, starts.read_text().split())
        assert first == 0
        assert second == int((bare.folder / "saved").read_text()) > 0
        wait_until(lambda: not bare.query("condor_q", "-name", "batch@", "-all"), 60, "it has left the queue")


def test_where_nothing_can_run_images_such_a_job_waits_instead_of_failing(bare, tmp_path):
    site = tmp_path / "site.conf"
    site.write_text(f"{SITE}SINGULARITY = /nowhere/apptainer\n")
    with glidein(bare, "imageless", site_config=site) as one:
        one.joined()
        assert not one.slots("HasSingularity is true || HasContainer is true")
        job(bare, tmp_path / "image", one.mine)
        (ad,) = bare.query("condor_q", "-name", "batch@", "-all")
        assert "HasContainer" in ad["Requirements"]
        said = bare.run(MLINFN, "why", f"{ad['ClusterId']}.0").stdout
        assert "will never start as it is: it asks to run in an image, but no node" in said
        other = bare.run(MLINFN, "submit", "training", "--image", str(tmp_path / "image"), "--", "train").stderr
        assert other.startswith("No node can run it as it is: it asks to run in an image, but no node")
