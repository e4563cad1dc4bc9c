"""A container-universe job runs in its image on a glidein, with Apptainer and without privilege."""

from pathlib import Path

from driver import Driver, wait_until
from glideins import SITE, glidein


def job(bare: Driver, image: Path, requirements: str) -> None:
    (bare.folder / "run").write_text("#!/bin/sh\ncat /etc/whose\necho $_CONDOR_AssignedGPUs\n")
    (bare.folder / "run").chmod(0o755)
    lines = {
        "universe": "container",
        "container_image": image,
        "executable": bare.folder / "run",
        "transfer_executable": "true",
        "should_transfer_files": "YES",
        "transfer_container": "false",
        "arguments": "",
        "output": bare.folder / "said",
        "request_gpus": 1,
    }
    bare.submit(requirements=requirements, **lines)


def test_a_user_image_runs_without_privilege(bare, containers, image, tmp_path):
    site = tmp_path / "site.conf"
    # Where Apptainer can have overlays it mounts the scratch folder at its own path, else at one that the image has.
    site.write_text(f"{SITE}SINGULARITY = {containers.apptainer}\nSINGULARITY_TARGET_DIR = /srv\n")
    with glidein(bare, "images", site_config=site) as one:
        one.joined()
        assert one.slots("HasSingularity && HasContainer && HasUserNamespaces")
        job(bare, image, one.mine)
        said = bare.folder / "said"
        text = wait_until(lambda: said.exists() and said.read_text(), 60, "the job has run in its image")
        assert text.splitlines()[0] == "the image's"
        assert text.splitlines()[1].startswith("GPU-images-T4-")


def test_where_nothing_can_run_images_such_a_job_waits_instead_of_failing(bare, tmp_path):
    site = tmp_path / "site.conf"
    site.write_text(f"{SITE}SINGULARITY = /nowhere/apptainer\n")
    with glidein(bare, "imageless", site_config=site) as one:
        one.joined()
        assert not one.slots("HasSingularity is true || HasContainer is true")
        job(bare, tmp_path / "image", one.mine)
        (ad,) = bare.query("condor_q", "-name", "batch@", "-all")
        assert "HasContainer" in ad["Requirements"]
