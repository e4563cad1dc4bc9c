"""Requests: what is refused, and how it is said."""

import os
from pathlib import Path

import pytest

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.submission.requests import DaskWorkerRequest, Devices, SessionRequest, TrainingRequest


def refusal(request_class, **values):
    with pytest.raises(BadRequest) as refused:
        request_class(**values)
    return str(refused.value)


def test_every_mistake_is_reported_at_once():
    said = refusal(TrainingRequest, cpus=0, memory_mb=-1, project="a b", devices={"count": -1, "kind": "tpu"}, gpu=1)
    for address in ("cpus is 0", "memory_mb is -1", "project is a b", "devices.count is -1", "devices.kind is tpu"):
        assert address in said
    assert "command is missing" in said
    assert "gpu is 1: there is no such parameter" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "word", ["$(x)", "$$(x)", "$$([1])", "$ENV(SECRET)", "$Fpq(x)", "$INT(x)", "a\nqueue 5", "a\0b", "a\x1fb", "end\\"]
)
def test_a_word_that_htcondor_would_not_take_as_text_is_refused(word):
    assert "command.1" in refusal(TrainingRequest, command=["echo", word])


@pytest.mark.parametrize("word", ["costs 5$", "a=$x", "100%", "#5", "naïve", "(a)", "$"])
def test_a_word_that_is_only_text_is_taken(word):
    assert TrainingRequest(command=["echo", word]).command == ["echo", word]


def test_an_empty_command_is_refused():
    assert "command is empty" in refusal(TrainingRequest, command=[])


def test_a_folder_that_does_not_exist_is_refused():
    assert "make it first" in refusal(TrainingRequest, command=["true"], folder="/no/such/folder")


def test_a_folder_in_a_home_that_one_may_not_enter_is_left_to_whoever_may(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root enters everything")
    (home := tmp_path / "alice").mkdir(mode=0)
    assert TrainingRequest(command=["true"], folder=home / "nightly").folder == home / "nightly"


def test_a_folder_with_a_quotation_mark_is_refused(tmp_path):
    (folder := tmp_path / "it's").mkdir()
    assert "quotation mark" in refusal(SessionRequest, folder=folder)


@pytest.mark.parametrize("name", ['A100" || true || "', "A100 ", "$(x)", ""])
def test_a_model_is_a_plain_name(name):
    assert "devices.model" in refusal(TrainingRequest, command=["true"], devices={"count": 1, "model": name})


@pytest.mark.parametrize("address", ["node:8786", "tcp://a b", "tcp://a' --nanny", "tcp://$(x)"])
def test_a_scheduler_is_an_address(address):
    assert "scheduler" in refusal(DaskWorkerRequest, scheduler=address)


def test_a_training_becomes_the_macros_of_its_template(tmp_path):
    request = TrainingRequest(
        command=["python", "two words", "it's"],
        cpus=4,
        memory_mb=8000,
        devices=Devices(count=2, model="A100"),
        project="alpha",
        folder=tmp_path,
        window_seconds=60,
    )
    assert request.parameters() == {
        "command": "python 'two words' 'it''s'",
        "cpus": "4",
        "memory": "8000MB",
        "disk": "100MB",
        "gpus": "2",
        "model": "A100",
        "project": "alpha",
        "folder": str(tmp_path),
        "window": "60",
    }


def test_fpgas_are_asked_for_like_gpus():
    request = DaskWorkerRequest(scheduler="tcp://node:8786", devices={"count": 1, "kind": "fpga", "model": "U250"})
    assert {"fpgas": "1", "model": "U250"}.items() <= request.parameters().items()


def test_a_model_without_devices_asks_for_nothing():
    assert "model" not in TrainingRequest(command=["true"], devices=Devices(model="A100")).parameters()


def test_the_present_folder_is_the_default(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert TrainingRequest(command=["true"]).folder == Path(tmp_path)
