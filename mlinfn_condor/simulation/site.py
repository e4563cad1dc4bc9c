"""The pool of a simulation: from a contracts file and a workload to nodes and people. Pure."""

from collections.abc import Iterator

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.contracts.settings import Contracts, PoolSettings
from mlinfn_condor.embedded.servers import SERVER1, SERVER2
from mlinfn_condor.errors import UserError
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device, Kind, models
from mlinfn_condor.simulation.workload import Workload

DEVICE_CPUS, DEVICE_MEMORY_MB = 8, 32_768
"""What a simulated node has for each of its devices: no job of a workload asks for memory, so it never decides."""
BARE_PARTS = 10
"""A tenth of a node is for work without a device (MLINFN_BARE_PERCENT)."""


def uncontracted(workload: Workload) -> Contracts:
    """A pool without promises: the two servers of the private pool, and the workload's projects."""
    nodes = {}
    for node in (SERVER1, SERVER2):
        counts: dict[str, dict[str, int]] = {"GPUs": {}, "FPGAs": {}}
        for kind, model, count in models(node.devices):
            counts[kind][model] = count
        nodes[node.name] = {"cpus": node.cpus // BARE_PARTS, "gpus": counts["GPUs"], "fpgas": counts["FPGAs"]}
    return Contracts(pool=PoolSettings.model_validate({"projects": list(workload.projects), "nodes": nodes}))


def nodes(contracts: Contracts) -> tuple[Node, ...]:
    """Simulated nodes with the devices that the contracts name."""
    return tuple(_node(name, contracts) for name in contracts.pool.nodes)


def _node(name: str, contracts: Contracts) -> Node:
    has = contracts.pool.nodes[name]
    kinds: tuple[tuple[Kind, dict[str, int]], ...] = (("GPUs", has.gpus), ("FPGAs", has.fpgas))
    devices = tuple(
        Device(
            kind, f"{kind.removesuffix('s')}-{name}-{model}-{n}", model, f"Simulated {model}", 16_384, simulated=True
        )
        for kind, counts in kinds
        for model, count in counts.items()
        for n in range(count)
    )
    cpus = max(DEVICE_CPUS * (len(devices) + 1), has.cpus * BARE_PARTS)
    return Node(name, cpus, DEVICE_MEMORY_MB * (len(devices) + 2), devices, f"{name}, simulated")


def pledges(contracts: Contracts) -> dict[str, int]:
    """Devices that each project is promised, in dask and batch together."""
    found: dict[str, int] = {}
    for priority_class, pledged in contracts.pledges.items():
        if priority_class is not PriorityClass.INTERACTIVE:
            for project, pledge in pledged.items():
                found[project] = found.get(project, 0) + pledge.devices
    return found


def agree(workload: Workload, contracts: Contracts) -> None:
    """Raises UserError with every row that the pool cannot serve, and every owner of a device that it has not."""
    if mistakes := [*_rows(workload, contracts), *_owners(contracts)]:
        raise UserError(f"{workload.name} does not fit the contracts:\n" + "\n".join(mistakes))


def _rows(workload: Workload, contracts: Contracts) -> Iterator[str]:
    pool = contracts.pool
    largest = max(sum(node.devices.values()) for node in pool.nodes.values())
    for row in workload.rows:
        if row.project not in pool.projects:
            known = ", ".join(sorted(pool.projects))
            yield f"line {row.line}: project: the pool has no {row.project}: use {known}"
    for submit in workload.submits:
        of_model = max((node.devices.get(submit.model, 0) for node in pool.nodes.values()), default=0)
        if submit.model and submit.model not in pool.models:
            yield f"line {submit.line}: model: the pool has no {submit.model}: use {', '.join(pool.models)}"
        elif submit.devices > (of_model if submit.model else largest):
            yield f"line {submit.line}: devices: no node has {submit.devices} {submit.model}: ask for fewer".replace(
                "  ", " "
            )


def _owners(contracts: Contracts) -> Iterator[str]:
    known = {device.id for node in nodes(contracts) for device in node.devices}
    for project, owner in contracts.owners.items():
        for device in sorted(set(owner.devices) - known):
            yield f"owners.{project}.devices: {device}: simulated ones are called GPU-<node>-<model>-<0, 1, …>"
