"""Templates: their parameters, and what a request makes of them."""

import pytest

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.submission import templates
from mlinfn_condor.submission.requests import DaskWorkerRequest, SessionRequest, TrainingRequest
from mlinfn_condor.submission.submit import submit
from mlinfn_condor.submission.sweeping import SweepRequest
from mlinfn_condor.submission.templates import Template

TEMPLATE = Template(
    "small",
    """# $(comment) is no parameter
executable = $(command)
own = $(folder:.)
log = $(own).$(Cluster)
if defined model
  require_gpus = DeviceModel == "$(model)"
endif
queue $(count:1)
""",
)

DEVICE = {"count": 1, "model": "A100"}


@pytest.fixture
def requests(tmp_path):
    common = {"cpus": 2, "memory_mb": 4096, "disk_mb": 200, "devices": DEVICE, "project": "alpha", "folder": tmp_path}
    return {
        "training": TrainingRequest(command=["python", "train.py"], window_seconds=60, **common),
        "sweep": SweepRequest(commands=[["train", "1"]], window_seconds=60, image="docker://torch", **common),
        "session": SessionRequest(root=tmp_path, **common),
        "dask-worker": DaskWorkerRequest(scheduler="tcp://node:8786", workers=3, **common),
    }


def test_parameters_are_the_macros_that_a_caller_may_set():
    assert TEMPLATE.parameters == {"command", "folder", "model", "count"}


def test_required_are_those_without_a_default():
    assert TEMPLATE.required == {"command"}


def test_every_mistake_is_reported_at_once():
    with pytest.raises(BadRequest) as refused:
        TEMPLATE.fill({"comand": "true", "model": "$ENV(SECRET)"})
    for address in ("comand: small.sub has no such parameter", "command: it is missing", "model: '$ENV('"):
        assert address in str(refused.value)


@pytest.mark.parametrize("name", ["training", "sweep", "session", "dask-worker"])
def test_a_request_sets_only_parameters_that_its_template_has(requests, name):
    template = templates.load(name)
    assert requests[name].parameters().keys() <= template.parameters
    assert template.required <= requests[name].parameters().keys()


@pytest.mark.parametrize("name", ["training", "sweep", "session", "dask-worker"])
def test_a_request_becomes_the_job_that_it_describes(requests, name):
    pool = TwinPool()
    request = requests[name]
    submitted = submit(request, pool)
    assert submitted.access_point == request.priority_class.access_point
    job = pool.jobs(submitted.constraint)[0]
    assert job.priority_class is request.priority_class
    assert (job.cpus, job.memory_mb, job.disk_kb, job.project) == (2, 4096, 200 * 1024, "alpha")
    assert (job.ad["RequestGPUs"], job.ad["RequireGPUs"]) == (1, 'DeviceModel == "A100"')


def test_counted_requests_become_as_many_jobs(requests, tmp_path):
    pool = TwinPool()
    submit(requests["dask-worker"], pool)
    submit(TrainingRequest(command=["true"], count=5, folder=tmp_path), pool)
    assert [job.priority_class.value for job in pool.jobs()].count("dask") == 3
    assert [job.priority_class.value for job in pool.jobs()].count("batch") == 5


def test_words_reach_the_job_as_they_are(tmp_path):
    pool = TwinPool()
    submit(TrainingRequest(command=["sh", "-c", 'echo "two words" it\'s', ""], folder=tmp_path), pool)
    assert pool.jobs()[0].ad["Arguments"] == "\"sh -c 'echo \"\"two words\"\" it''s' ''\""
