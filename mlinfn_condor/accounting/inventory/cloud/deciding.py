"""From a cloud's servers to an inventory: pure, and the same again gives the same again.

Invariant: what was imported before of the past stays, unless the cloud itself says when a server really ended. So a
server that a cloud has forgotten is not forgotten here, and what changed between two imports counts from the second.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mlinfn_condor.accounting.inventory.cloud.flavors import asked
from mlinfn_condor.accounting.inventory.cloud.meaning import Meaning, Project
from mlinfn_condor.accounting.inventory.cloud.server import Server, mark, mark_of
from mlinfn_condor.accounting.inventory.rows import Grant, InventoryWrong

History = Mapping[str, Sequence[Grant]]
"""Periods that are known by device, the oldest first; the key "" has those of the machine."""


@dataclass(frozen=True)
class Decision:
    """All that the cloud's inventory says from now on, and the servers that are left to the pool which they serve."""

    grants: tuple[Grant, ...]
    of_the_pool: tuple[str, ...]


def decide(
    servers: Collection[Server],
    known: Iterable[Grant],
    pool_nodes: Collection[str],
    meaning: Meaning,
    now: datetime,
    *,
    anew: bool = False,
) -> Decision:
    """`known` are this inventory's grants of before, each of one device or of the machine. Raises InventoryWrong.

    anew: servers that the cloud still tells of are taken by its word for their whole time, not by what was known.
    """
    histories: dict[str, dict[str, list[Grant]]] = {}
    for grant in sorted(known, key=lambda g: g.since):
        histories.setdefault(mark_of(grant.name), {}).setdefault(_key(grant), []).append(grant)
    nodes = {_short(node) for node in pool_nodes}
    grants: list[Grant] = []
    of_the_pool: list[str] = []
    mistakes: list[str] = []
    for server in sorted(servers, key=lambda s: (s.created, s.id)):
        history = histories.pop(mark(server.id), {})
        if _short(server.name) in nodes:
            of_the_pool.append(server.name)
            continue
        try:
            wanted = list(_wanted(server, meaning)) if server.holds else []
        except ValueError as error:
            mistakes += [f"server {server.name} ({server.id}): {told}" for told in error.args]
            continue
        grants += wanted if anew and wanted else _continued(server, wanted, history, now)
    marks = Counter(mark(server.id) for server in servers)
    mistakes += [f"several servers have ids that begin with {name}" for name, count in marks.items() if count > 1]
    if mistakes:
        raise InventoryWrong("nothing was imported:\n" + "\n".join(dict.fromkeys(mistakes)))
    for history in histories.values():
        grants += (_ended(grant, now) for grant in _all(history))
    there = tuple(grant for grant in grants if grant.until is None or grant.until > grant.since)
    return Decision(there, tuple(sorted(of_the_pool)))


def _wanted(server: Server, meaning: Meaning) -> Iterator[Grant]:
    """The machine and each device, as the cloud tells them. Raises ValueError with a message for each mistake."""
    project = _project(server, meaning)
    since, until = server.created, server.ended
    machine = Grant(
        0, server.label, (), "gpu", "", "", project.given_to, server.cpus, server.memory_mb, since, until,
    )  # fmt: skip
    yield machine
    counts = asked(server.extra_specs)
    if unknown := [name for name in sorted(counts) if name not in meaning.devices]:
        raise ValueError(
            *(f"its flavor asks for {name!r}: say what that is in [devices] of the map" for name in unknown)
        )
    numbers: dict[str, int] = {}
    for name in sorted(counts):
        device = meaning.devices[name]
        for _ in range(counts[name] * device.count if device.model else 0):
            number = numbers[device.model] = numbers.get(device.model, -1) + 1
            # The model is part of the name: the same server may have another model after a resize.
            named = f"{server.label}/{device.model}-{number}"
            owner = _said(server, meaning.metadata.owner_project) or device.owner_project or project.owner_project
            yield replace(
                machine, devices=(named,), kind=device.kind, model=device.model, owner_project=owner,
                cpus=None, memory_mb=None,
            )  # fmt: skip


def _project(server: Server, meaning: Meaning) -> Project:
    mapped = meaning.projects.get(server.project) or meaning.projects.get(server.project_name)
    project = mapped or Project(given_to=server.project_name or server.project)
    said = _said(server, meaning.metadata.given_to)
    return project.model_copy(update={"given_to": said}) if said else project


def _said(server: Server, key: str) -> str:
    return server.metadata.get(key, "") if key else ""


def _continued(server: Server, wanted: list[Grant], history: History, now: datetime) -> Iterator[Grant]:
    """What the cloud says now, after what was known of this server before."""
    pieces = {_key(grant): grant for grant in wanted}
    past = list(_all(history))
    end = server.ended or now
    begin = _begin(server, past, end)
    for key, known in history.items():
        last, piece = known[-1], pieces.get(key)
        yield from (_ended(grant, end) for grant in known[:-1])
        if piece is not None and last.until is None and _facts(last) == _facts(piece):
            yield replace(last, until=server.ended)
            del pieces[key]
        else:
            yield _ended(last, end)
    for piece in pieces.values():
        name = past[-1].name if past else piece.name
        yield replace(_named(piece, name), since=begin)


def _begin(server: Server, past: list[Grant], end: datetime) -> datetime:
    """From when on something of this server counts that did not count before."""
    if not past:
        return server.created
    if any(grant.until is None for grant in past):
        return end
    gone = max(grant.until for grant in past if grant.until is not None)
    if server.launched and server.launched > gone:
        return server.launched  # it was away, e.g. shelved, and came back
    return end if server.ended else gone


def _ended(grant: Grant, moment: datetime) -> Grant:
    """Over at this moment at the latest; what begins later is empty."""
    over = grant.until is not None and grant.until <= moment
    return grant if over else replace(grant, until=max(grant.since, moment))


def _all(history: History) -> Iterator[Grant]:
    for known in history.values():
        yield from known


def _key(grant: Grant) -> str:
    """The device without the server's name, which may change; empty: the machine."""
    return grant.devices[0].removeprefix(f"{grant.name}/") if grant.devices else ""


def _named(piece: Grant, label: str) -> Grant:
    return replace(piece, name=label, devices=tuple(f"{label}/{_key(piece)}" for _ in piece.devices))


def _facts(grant: Grant) -> tuple[object, ...]:
    return (grant.kind, grant.model, grant.owner_project, grant.given_to, grant.cpus, grant.memory_mb)


def _short(host: str) -> str:
    return host.partition(".")[0].casefold()
