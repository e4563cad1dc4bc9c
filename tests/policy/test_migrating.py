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
def told(installed, tmp_path):
    """Of the page's file, the job that condor_submit would queue."""
    (file,) = [step for step in steps(PAGE.read_text()) if isinstance(step, File)]
    (tmp_path / file.name).write_text(file.text)
    (tmp_path / "train.sh").write_text("#!/bin/sh\n")
    done = subprocess.run(
        [installed.bin / "condor_submit", "-dry-run", tmp_path / "ads", file.name],
        env=os.environ | {"CONDOR_CONFIG": "ONLY_ENV"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr  # a line that condor_submit does not know is only a warning
    return {name.lower(): value for name, value in re.findall(r"^(\w+)=(.*)$", (tmp_path / "ads").read_text(), re.M)}


def test_the_job_of_the_page_is_what_it_says(told):
    wanted = {"RequestCpus": "4", "RequestMemory": "8192", "RequestGPUs": "1", "JobMaxVacateTime": "60"}
    assert {name: told[name.lower()] for name in wanted} == wanted
    assert told["requiregpus"] == 'DeviceModel == "A100"'
    assert (told["project"], told["onexitremove"]) == ('"alpha"', "ExitCode =!= 85")


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
