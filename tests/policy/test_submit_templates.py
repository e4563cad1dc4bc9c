"""The templates through HTCondor's own condor_submit, which says what job it would queue; no daemon runs."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mlinfn_condor.errors import JobRefused
from mlinfn_condor.shipped import shipped

TEMPLATES = shipped("submit_templates")


@pytest.fixture
def submitted(installed, tmp_path):
    """A function that gives the ads that `condor_submit TEMPLATE NAME=VALUE…` would queue, values as ClassAd text.

    Proc ads after the first hold only what differs from it.
    """

    def submit(template, *extra, **given):
        ads = tmp_path / "ads"
        command = [installed.bin / "condor_submit", "-dry-run", ads, *extra, template]
        done = subprocess.run(
            [*command, *(f"{name}={value}" for name, value in given.items())],
            env=os.environ | {"CONDOR_CONFIG": "ONLY_ENV"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise JobRefused(done.stderr)
        # An unused or misspelt parameter is only a warning to condor_submit.
        assert "WARNING" not in done.stderr
        blocks = [block for block in ads.read_text().split("\n\n") if "=" in block]
        return [{k.lower(): v for k, v in re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE)} for block in blocks]

    return submit


@pytest.fixture
def training(submitted):
    return lambda **given: submitted(TEMPLATES / "training.sub", **{"command": "python train.py", **given})[0]


@pytest.fixture
def workers(submitted):
    given_always = {"scheduler": "tcp://127.0.0.1:8786"}
    return lambda **given: submitted(TEMPLATES / "dask-worker.sub", **given_always, **given)


def test_a_training_by_default_is_small_and_batch(training):
    ad = training()
    assert {name: ad[name.lower()] for name in ("PriorityClass", "Cmd", "RequestCpus", "RequestMemory")} == {
        "PriorityClass": '"batch"',
        "Cmd": '"/usr/bin/env"',
        "RequestCpus": "1",
        "RequestMemory": "1024",
    }
    assert (ad["requestgpus"], ad["requestfpgas"], ad["requestdisk"]) == ("0", "0", str(100 * 1024))


def test_what_is_not_given_is_left_to_the_pool(training):
    assert not {"project", "jobmaxvacatetime", "requiregpus", "requirefpgas"} & training().keys()


def test_a_training_gets_what_it_asks_for(training):
    ad = training(cpus=4, memory="3GB", disk="2GB", gpus=2, model="A100", project="alpha", window=20)
    assert (ad["requestcpus"], ad["requestmemory"], ad["requestdisk"]) == ("4", "3072", str(2 * 1024**2))
    assert (ad["requestgpus"], ad["requiregpus"]) == ("2", 'DeviceModel == "A100"')
    assert (ad["project"], ad["jobmaxvacatetime"]) == ('"alpha"', "20")
    assert "requirefpgas" not in ad


def test_a_model_of_an_fpga_restricts_fpgas_only(training):
    ad = training(fpgas=1, model="U250")
    assert (ad["requestfpgas"], ad["requirefpgas"]) == ("1", 'DeviceModel == "U250"')
    assert "requiregpus" not in ad
    assert "Requirefpgas" in ad["requirements"], "the match looks at it"


def test_words_of_the_command_reach_the_program_as_a_shell_would_split_them(training):
    ad = training(command="python train.py --name 'two words' --folder ck")
    assert ad["arguments"] == "\"python train.py --name two' 'words --folder ck\""


def test_a_training_hears_of_its_displacement_and_goes_back_to_the_queue(training):
    ad = training()
    assert (ad["killsig"], ad["onexitremove"]) == ('"SIGTERM"', "ExitCode =!= 85")


def test_the_status_that_sends_a_training_back_is_the_one_it_leaves_with(training):
    from mlinfn_condor.training.vacating import LEFT_EARLY

    assert str(LEFT_EARLY) in training()["onexitremove"]


def test_a_training_in_somebodys_name_is_submitted_without_a_look_into_his_folder(training):
    ad = training(folder="/homes/alice/nightly", owner="alice", run="1/2026-01-01/0")
    assert ad["iwd"] == '"/homes/alice/nightly"'
    assert ad["userlog"] == '"/homes/alice/nightly/training.1.log"'
    assert (ad["out"], ad["err"]) == ('"training.1.0.out"', '"training.1.0.err"')


def test_a_training_runs_and_logs_in_its_folder(training, tmp_path):
    (tmp_path / "run").mkdir()
    ad = training(folder=tmp_path / "run")
    assert ad["iwd"] == f'"{tmp_path}/run"'
    assert ad["userlog"] == f'"{tmp_path}/run/training.1.log"'
    assert ad["out"] == '"training.1.0.out"'
    assert ad["shouldtransferfiles"] == '"IF_NEEDED"'


def test_a_training_in_an_image_is_a_container_job(training):
    ad = training(image="/srv/images/torch.sif")
    assert (ad["containerimage"], ad["wantcontainer"]) == ('"/srv/images/torch.sif"', "true")
    assert ad["transfercontainer"] == "false", "the node reads it where it is"
    assert "HasContainer" in ad["requirements"], "it waits for a node that can"
    assert training(image="/srv/torch.sif", transfer_image="true")["transfercontainer"] == "true"
    assert "wantcontainer" not in training()


def test_a_sweep_is_a_job_for_each_row_of_the_table(submitted, tmp_path):
    (tmp_path / "runs.csv").write_text("rate, name\n0.1, two words\n0.2, b\n")
    command = "train --rate $(rate) --name '$(name)' --folder run-$(Row)"
    first, second = submitted(TEMPLATES / "sweep.sub", table="runs.csv", command=command, gpus=1, window=20)
    assert first["arguments"] == "\"train --rate 0.1 --name two' 'words --folder run-0\""
    assert second["arguments"] == '"train --rate 0.2 --name b --folder run-1"'
    assert (first["requestgpus"], first["jobmaxvacatetime"], first["priorityclass"]) == ("1", "20", '"batch"')
    assert (first["jobbatchname"], first["onexitremove"]) == ('"sweep"', "ExitCode =!= 85")


def test_a_sweep_without_a_command_starts_nothing(submitted):
    with pytest.raises(JobRefused, match="what to run"):
        submitted(TEMPLATES / "sweep.sub")


def test_training_and_sweep_differ_in_nothing_but_their_jobs(training, submitted, tmp_path):
    (tmp_path / "runs.csv").write_text("rate\n1\n")
    given = {"gpus": 1, "model": "A100", "project": "alpha", "window": 20, "image": "docker://torch", "cpus": 3}
    (swept,) = submitted(TEMPLATES / "sweep.sub", table="runs.csv", command="train $(rate)", **given)
    alone = training(command="train 1", **given)
    unlike = {name for name in swept | alone if swept.get(name) != alone.get(name)}
    assert {"out", "jobbatchname"} <= unlike <= {"userlog", "out", "err", "jobbatchname", "jobsubmitfile", "qdate"}


def test_a_window_that_is_no_number_is_left_for_the_pool_to_judge(training):
    assert training(window="20 * 2")["jobmaxvacatetime"] == "20 * 2"


def test_a_dask_worker_knows_its_scheduler_and_its_limits(workers):
    (ad,) = workers(cpus=2, memory="4GB")
    assert ad["priorityclass"] == '"dask"'
    for words in ("dask_worker tcp://127.0.0.1:8786 --name 1.0", "--nthreads 2", "--memory-limit 4GB", "--nanny "):
        assert words in ad["arguments"]
    assert (ad["requestcpus"], ad["requestmemory"]) == ("2", "4096")


def test_as_many_workers_as_asked_for_each_with_its_name(workers):
    names = [re.search(r"--name (\S+)", ad["arguments"])[1] for ad in workers(workers=3, gpus=1, model="T4")]
    assert names == ["1.0", "1.1", "1.2"]


def test_a_worker_template_without_a_scheduler_starts_no_worker(submitted):
    with pytest.raises(JobRefused, match="whom to work for"):
        submitted(TEMPLATES / "dask-worker.sub")


def test_a_training_template_without_a_command_starts_nothing(submitted):
    with pytest.raises(JobRefused, match="what to run"):
        submitted(TEMPLATES / "training.sub")


def test_a_selftest_runs_on_the_one_glidein_that_it_is_for(submitted):
    (ad, *others) = submitted(TEMPLATES / "glidein-selftest.sub", uid="6f1c-77")
    assert others == []
    assert 'MlinfnGlideinUid == "6f1c-77"' in ad["requirements"]
    assert (ad["priorityclass"], ad["requestcpus"]) == ('"batch"', "1")


def test_a_selftest_in_somebodys_name_writes_nothing_where_its_access_point_is(submitted):
    (ad,) = submitted(TEMPLATES / "glidein-selftest.sub", uid="6f1c-77", owner="alice")
    assert ad["iwd"] == '"/"'
    assert "userlog" not in ad


def test_a_selftest_without_a_glidein_is_none(submitted):
    with pytest.raises(JobRefused, match="which glidein"):
        submitted(TEMPLATES / "glidein-selftest.sub")


DUMMY_WORKER = """
import json, sys
from dask_jobqueue.htcondor import HTCondorJob
job = HTCondorJob("tcp://127.0.0.1:8786", name="w-0", **json.loads(sys.argv[1]))
print(json.dumps([job.submit_command, job.job_script()]))
"""


def dask_worker(submitted, folder: Path, **options):
    """The ad of a worker of plain HTCondorCluster(**options), under the shipped Dask configuration."""
    done = subprocess.run(
        [sys.executable, "-c", DUMMY_WORKER, json.dumps(options)],
        env=os.environ | {"DASK_CONFIG": str(TEMPLATES / "dask-jobqueue.yaml"), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    command, script = json.loads(done.stdout)
    (folder / "worker.sub").write_text(script)
    return submitted(folder / "worker.sub", *shlex.split(command)[1:])[0]


def test_plain_htcondorcluster_submits_class_dask_without_any_argument(submitted, tmp_path):
    pytest.importorskip("dask_jobqueue")
    ad = dask_worker(submitted, tmp_path)
    assert (ad["priorityclass"], ad["shouldtransferfiles"]) == ('"dask"', '"IF_NEEDED"')
    assert ad["cmd"] == '"/bin/sh"'
    assert "exec' 'python' '-m' 'distributed.cli.dask_worker" in ad["arguments"]
    assert "retirement" in ad["arguments"]


def test_a_users_own_directives_and_sizes_keep_the_class(submitted, tmp_path):
    pytest.importorskip("dask_jobqueue")
    directives = {"MY.Project": '"alpha"', "request_gpus": "1"}
    ad = dask_worker(submitted, tmp_path, cores=4, memory="8GB", disk="1GB", job_extra_directives=directives)
    assert (ad["priorityclass"], ad["project"], ad["requestgpus"]) == ('"dask"', '"alpha"', "1")
    assert ad["daskworkercores"] == "4"
