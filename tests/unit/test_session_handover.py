"""What a person who waits for a device is told, and what is kept from touching it meanwhile."""

import json
from pathlib import Path

import pytest

from mlinfn_condor.session.handover import Handover, Holder, hide_devices, ready_sentence, reveal_devices
from mlinfn_condor.session.handover import waiting_sentence as waiting
from mlinfn_condor.session.job import Device

GPU = Device("GPU-1", "GPU", "A100", simulated=True)
OTHER_GPU = Device("GPU-2", "GPU", "A30")
FPGA = Device("FPGA-1", "FPGA", "U50")
BATCH = Holder("1.0", "batch", 30)
DASK = Holder("2.0", "dask", 45)


@pytest.fixture
def handover(tmp_path: Path) -> Handover:
    (tmp_path / "locks").mkdir()
    return Handover(tmp_path / "ready", tmp_path / "locks", (GPU, FPGA), since=1000.0, notice_seconds=1.0)


def write(handover: Handover, device: Device, **told: object) -> None:
    (handover.locks / device.id).write_text(json.dumps(told))


class TestSentences:
    def test_a_batch_job_has_its_window(self) -> None:
        expected = "The GPU is being handed over by a batch job that is saving its state, at most 22 s left"
        assert waiting([GPU], [BATCH], told_since=8.5) == expected

    def test_the_longest_window_counts(self) -> None:
        said = waiting([GPU, OTHER_GPU], [BATCH, DASK], told_since=0)
        assert said.startswith("The GPUs are being handed over by batch jobs that are saving their state")
        assert said.endswith("at most 46 s left")

    def test_nothing_is_promised_after_the_window(self) -> None:
        said = waiting([GPU], [BATCH], told_since=30)
        assert said.endswith("longer than its window; HTCondor is ending the job now")
        assert "at most" not in said

    def test_nothing_is_promised_for_an_unknown_holder(self) -> None:
        assert waiting([FPGA], [], told_since=0) == "The FPGA is being handed over"

    def test_devices_of_both_kinds_are_devices(self) -> None:
        assert waiting([GPU, FPGA], [], told_since=0) == "The devices are being handed over"

    def test_ready(self) -> None:
        assert ready_sentence([GPU]) == "Your GPU (A100, simulated) is ready"
        assert ready_sentence([GPU, OTHER_GPU]) == "Your GPUs (A100, simulated; A30) are ready"


class TestHolders:
    def test_are_read_from_the_locks(self, handover: Handover) -> None:
        write(handover, GPU, job="1.0", window_seconds=30, since=1, **{"class": "batch"})
        assert handover.holders() == [BATCH]

    def test_one_job_with_both_devices_is_one_holder(self, handover: Handover) -> None:
        for device in (GPU, FPGA):
            write(handover, device, job="1.0", window_seconds=30, since=1, **{"class": "batch"})
        assert handover.holders() == [BATCH]

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "null", '{"job": "1.0"}', '{"job":1,"class":"x","window_seconds":1}']
    )
    def test_what_is_half_written_is_left_out(self, handover: Handover, text: str) -> None:
        (handover.locks / GPU.id).write_text(text)
        assert handover.holders() == []

    def test_the_window_counts_from_when_the_holder_was_told_at_the_latest(self, handover: Handover) -> None:
        write(handover, GPU, job="1.0", window_seconds=30, since=1, **{"class": "batch"})
        assert handover.sentence(now=1001.5).endswith("at most 30 s left")


class TestWaiting:
    def test_says_nothing_if_there_is_nothing_to_wait_for(self, handover: Handover) -> None:
        handover.ready.touch()
        said: list[str] = []
        assert handover.wait(said.append) is False
        assert said == []

    def test_ends_when_the_file_appears(self, handover: Handover) -> None:
        said: list[str] = []

        def say(sentence: str) -> None:
            said.append(sentence)
            handover.ready.touch()

        assert handover.wait(say) is True
        assert said == ["The devices are being handed over", "Your devices (A100, simulated; U50) are ready"]

    def test_an_interrupt_ends_it(self, handover: Handover) -> None:
        def say(_: str) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            handover.wait(say)


class TestAround:
    ENVIRONMENT = {  # noqa: RUF012
        "_CONDOR_SCRATCH_DIR": "/scratch",
        "_CONDOR_AssignedGPUs": "GPU-1",
        "MLINFN_DEVICE_LOCKS": "/locks",
        "MLINFN_DEVICES_SINCE": "1000",
    }

    def test_a_session_of_ours_with_a_device(self) -> None:
        found = Handover.around(self.ENVIRONMENT)
        assert found == Handover(
            Path("/scratch/.mlinfn-devices-ready"), Path("/locks"), (Device("GPU-1", "GPU"),), 1000.0, 1.0
        )

    @pytest.mark.parametrize("missing", ENVIRONMENT)
    def test_anything_else_has_nothing_to_wait_for(self, missing: str) -> None:
        assert Handover.around({name: value for name, value in self.ENVIRONMENT.items() if name != missing}) is None


class TestHiding:
    def test_hidden_devices_come_back_as_they_were(self) -> None:
        before = {"CUDA_VISIBLE_DEVICES": "GPU-1", "PATH": "/bin"}
        environment = dict(before)
        hide_devices(environment)
        hide_devices(environment)
        assert environment["CUDA_VISIBLE_DEVICES"] == ""
        reveal_devices(environment)
        assert environment == before
