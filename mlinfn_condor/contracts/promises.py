"""Whether all promises of a contracts file can be kept at once. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlinfn_condor.contracts.settings import Contracts


def mistakes(contracts: "Contracts") -> Iterator[str]:
    """Each promise that cannot be kept, with its place and why."""
    yield from _models_of_one_kind(contracts)
    yield from _unknown(contracts)
    yield from _too_large(contracts)
    yield from _claimed_twice(contracts)
    yield from _owners_of_nothing(contracts)


def _models_of_one_kind(contracts: "Contracts") -> Iterator[str]:
    nodes = contracts.pool.nodes.values()
    for model in sorted({m for node in nodes for m in node.gpus} & {m for node in nodes for m in node.fpgas}):
        yield f"pool.nodes: {model} is among gpus and fpgas: a model is one or the other"


def _unknown(contracts: "Contracts") -> Iterator[str]:
    projects, models, nodes = contracts.pool.projects, contracts.pool.models, contracts.pool.nodes
    for priority_class, pledged in contracts.pledges.items():
        yield from _not_in(f"pledges.{priority_class.value}", pledged, projects, "project")
    yield from _not_in("owners", contracts.owners, projects, "project")
    yield from _not_in("limits.projects", contracts.limits.projects, projects, "project")
    for project, owner in contracts.owners.items():
        yield from _not_in(f"owners.{project}.nodes", owner.nodes, nodes, "node")
    for place, headroom in enumerate(contracts.headroom):
        yield from _not_in(f"headroom.{place}.model", [headroom.model], models, "model")
    for place, window in enumerate(contracts.windows):
        yield from _not_in(f"windows.{place}.models", window.models, models, "model")


def _not_in(where: str, names: Iterable[str], known: Iterable[str], what: str) -> Iterator[str]:
    for name in sorted(set(names) - set(known)):
        yield f"{where}: {name}: the pool has no such {what}, it has {', '.join(sorted(known))}"


def _too_large(contracts: "Contracts") -> Iterator[str]:
    has = {
        "devices": sum(sum(node.devices.values()) for node in contracts.pool.nodes.values()),
        "cpus": sum(node.cpus for node in contracts.pool.nodes.values()),
    }
    for priority_class, pledged in contracts.pledges.items():
        for what, there in has.items():
            promised = sum(getattr(pledge, what) for pledge in pledged.values())
            if promised > there:
                yield f"pledges.{priority_class.value}: {promised} {what} are pledged, and the pool has {there}"
    for place, headroom in enumerate(contracts.headroom):
        there = contracts.pool.count(headroom.model)
        if headroom.model in contracts.pool.models and headroom.free > there:
            yield f"headroom.{place}.free: {headroom.free}, and the pool has {there} {headroom.model}"
    for place, window in enumerate(contracts.windows):
        for model in window.models:
            there = contracts.pool.count(model)
            if model in contracts.pool.models and window.at_most >= there:
                yield f"windows.{place}.at_most: {window.at_most} holds nothing back: the pool has {there} {model}"


def _claimed_twice(contracts: "Contracts") -> Iterator[str]:
    for what in ("devices", "nodes"):
        owned = Counter(name for owner in contracts.owners.values() for name in set(getattr(owner, what)))
        for name in sorted(name for name, times in owned.items() if times > 1):
            who = sorted(project for project, owner in contracts.owners.items() if name in getattr(owner, what))
            yield f"owners: {name} belongs to {' and '.join(who)}: it can have one owner"


def _owners_of_nothing(contracts: "Contracts") -> Iterator[str]:
    for project, owner in contracts.owners.items():
        if not owner.devices and not owner.nodes:
            yield f"owners.{project}: an owner without devices: name devices or nodes, or remove it"
        for name in owner.nodes:
            if name in contracts.pool.nodes and not contracts.pool.nodes[name].devices:
                yield f"owners.{project}.nodes: {name} has no devices: give it some in pool.nodes.{name}, or remove it"
