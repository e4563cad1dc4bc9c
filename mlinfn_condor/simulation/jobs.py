"""Submit descriptions of a workload's jobs. Pure."""

from collections.abc import Iterator
from pathlib import Path

from mlinfn_condor.contracts.settings import Contracts
from mlinfn_condor.simulation.scaling import Clock, Numbers
from mlinfn_condor.simulation.workload import Submit

PLAY = Path(__file__).parent / "payloads" / "play"
MICRO = 1_000_000


def description(submit: Submit, folder: Path, clock: Clock, numbers: Numbers, contracts: Contracts) -> str:
    """For condor_submit. Each job keeps its work in a file `<row>.<proc>` of the folder."""
    return "".join(f"{line}\n" for line in _lines(submit, folder, clock, numbers, contracts))


def _lines(submit: Submit, folder: Path, clock: Clock, numbers: Numbers, contracts: Contracts) -> Iterator[str]:
    leave = -1 if submit.leave is None else _micro(submit.leave, clock)
    work, window = max(1, _micro(submit.duration, clock)), _micro(numbers.window, clock)
    words = (f"{folder}/{submit.line}.$(Process)", work, _micro(submit.checkpoint, clock), leave, window)
    yield f"executable = {PLAY}"
    yield f"arguments = {' '.join(map(str, words))}"
    yield f"initialdir = {folder}"
    yield "transfer_executable = false"
    yield "should_transfer_files = NO"
    yield f"request_cpus = {submit.cpus}"
    yield "request_memory = 128MB"
    yield "request_disk = 1MB"
    kind = contracts.pool.models.get(submit.model, "GPUs")
    if submit.devices:
        yield f"request_{kind.lower()} = {submit.devices}"
    if submit.model:
        wish = f'DeviceModel == "{submit.model}"'
        yield f"require_gpus = {wish}" if kind == "GPUs" else f"+RequireFPGAs = {wish}"
    yield f'+PriorityClass = "{submit.priority_class}"'
    yield f'+Project = "{submit.project}"'
    yield f"+MlinfnRow = {submit.line}"
    yield f"queue {submit.count}"


def _micro(simulated: float, clock: Clock) -> int:
    """Microseconds of wall time."""
    return round(simulated / clock.speed * MICRO)
