"""What the page on moving here names exists: its submit file, as condor_submit reads it, and attributes and options."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from walkthrough import File, steps

from mlinfn_condor.shipped import shipped

PAGE = Path(__file__).parents[2] / "docs" / "migrating.md"
MACRO = re.compile(r"`(MLINFN_[A-Z_]+)`")
ATTRIBUTE = re.compile(r"`\+(\w+)")


@pytest.fixture
def queued(installed, tmp_path):
    """A function that gives the job that condor_submit would queue for a file of submit language."""

    def submit(text):
        (tmp_path / "job.sub").write_text(text)
        (tmp_path / "train.sh").write_text("#!/bin/sh\n")
        done = subprocess.run(
            [installed.bin / "condor_submit", "-dry-run", tmp_path / "ads", "job.sub"],
            env=os.environ | {"CONDOR_CONFIG": "ONLY_ENV"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "WARNING" not in done.stderr, done.stderr  # of a line that condor_submit does not know
        return {
            name.lower(): value for name, value in re.findall(r"^(\w+)=(.*)$", (tmp_path / "ads").read_text(), re.M)
        }

    return submit


def test_the_job_of_the_page_is_what_it_says(queued):
    (file,) = [step for step in steps(PAGE.read_text()) if isinstance(step, File)]
    told = queued(file.text)
    wanted = {"RequestCpus": "4", "RequestMemory": "8192", "RequestGPUs": "1", "JobMaxVacateTime": "60"}
    assert {name: told[name.lower()] for name in wanted} == wanted
    assert told["requiregpus"] == 'DeviceModel == "A100"'
    assert (told["project"], told["onexitremove"]) == ('"alpha"', "ExitCode =!= 85")


def test_lines_of_submit_language_that_it_names_are_known(queued):
    """Those with their values, and what stands alone with one of ours."""
    page = PAGE.read_text()
    values = {"container_image": "image.sif", "job_max_vacate_time": "60", "retry_request_memory": "2GB"}
    assert [name for name in values if f"`{name}`" not in page and f"`{name} " not in page] == []
    lines = re.findall(r"`((?:request|require|on_exit)_\w+ = [^`…]+)`", page)
    assert len(lines) >= 4
    told = [
        *lines,
        "universe = container",
        "executable = train.sh",
        *(f"{name} = {said}" for name, said in values.items()),
    ]
    queued("\n".join([*told, "queue"]))


def test_what_condor_submit_does_not_know_is_found(queued):
    with pytest.raises(AssertionError, match="WARNING"):
        queued("executable = train.sh\nrequest_gpu = 1\nqueue")


def test_macros_and_attributes_that_it_names_are_in_the_policy():
    policy = "\n".join(path.read_text() for path in shipped("condor_config.d").glob("*.conf"))
    page = PAGE.read_text()
    assert MACRO.findall(page)
    assert ATTRIBUTE.findall(page)
    assert [name for name in (*MACRO.findall(page), *ATTRIBUTE.findall(page)) if name not in policy] == []


def test_settings_that_it_names_are_in_a_site_or_a_hub():
    from mlinfn_condor.hub.settings import HubSettings
    from mlinfn_condor.site.settings import Site

    sections = {name.partition(".")[0] for name in re.findall(r"`\[(\w+(?:\.\w+)?)\]`", PAGE.read_text())}
    assert sections
    assert sections <= {*Site.model_fields, *HubSettings.model_fields}
