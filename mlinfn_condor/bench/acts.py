"""What the clients do at the pool: each is called with the gate, in a client's process."""

from pathlib import Path

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import JobId, Pool
from mlinfn_condor.submission.requests import Devices, SessionRequest
from mlinfn_condor.submission.submit import submit

COMPUTE = Path(__file__).parent / "payloads" / "compute"


def submit_payload(pool: Pool, description: str, access_point: str) -> JobId:
    """Submit what `payload` describes."""
    return pool.submit(description, access_point)


def submit_jupyterlab(pool: Pool, folder: Path, home: Path, model: str) -> JobId:
    """Submit a real session with one device, as `mlinfn submit session` does."""
    return submit(SessionRequest(folder=folder, root=home, devices=Devices(count=1, model=model)), pool)


def remove(pool: Pool, job: JobId) -> None:
    """End a job."""
    pool.remove(job, "the measurement is over")


def claimed(pool: Pool) -> list[tuple[str, PriorityClass | None, bool]]:
    """Of each claimed slot: its devices, the class of its job, and whether that was told to go."""
    slots = pool.slots("PartitionableSlot =!= true", [])
    return [(",".join(slot.assigned), slot.priority_class, slot.leaving) for slot in slots if slot.claimed]


def queued(pool: Pool) -> list[tuple[JobId, PriorityClass | None, bool]]:
    """Of each job in a queue: id, class, and whether it is idle."""
    return [(job.id, job.priority_class, job.state == "idle") for job in pool.jobs() if not job.state.final]


def payload(
    priority_class: PriorityClass,
    folder: Path,
    *,
    run_seconds: float,
    leave: float | Path,
    model: str | None = None,
    count: int = 1,
) -> str:
    """A submit description of stand-in payloads with one GPU each, of this model or any."""
    lines = {
        "executable": COMPUTE,
        "transfer_executable": "false",
        "should_transfer_files": "NO",
        "initialdir": folder,
        "arguments": f"{folder} {run_seconds} {leave}",
        "request_cpus": 1,
        "request_memory": "256MB",
        "request_disk": "1MB",
        "request_gpus": 1,
        "+PriorityClass": f'"{priority_class}"',
    } | ({"require_gpus": f'DeviceModel == "{model}"'} if model else {})
    return "".join(f"{name} = {value}\n" for name, value in lines.items()) + f"queue {count}\n"
