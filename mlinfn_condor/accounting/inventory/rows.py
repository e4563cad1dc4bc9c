"""An inventory as its file says it: every row checked, every mistake told at once with its line and its cure."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from mlinfn_condor.errors import UserError

NEEDED = ("name", "from")
OPTIONAL = ("device", "devices", "kind", "model", "owner_project", "given_to", "cpus", "memory_mb", "until")
COLUMNS = (*NEEDED, *OPTIONAL)
KINDS = ("gpu", "fpga")
MOST = 2**31 - 1
"""PostgreSQL's largest integer."""
MOST_DEVICES = 1024
"""Devices in one row: beyond it is a slip of the pen, not a machine."""


class InventoryWrong(UserError):
    """The file has mistakes; the message has a line for each."""

    page = "docs/accounting.md#what-htcondor-does-not-see"


@dataclass(frozen=True)
class Grant:
    """A machine and its devices for a time, moments in UTC. `until`: the first that is over; None: still granted."""

    line: int
    name: str
    devices: tuple[str, ...]
    kind: str
    model: str
    owner_project: str
    given_to: str
    cpus: int | None
    memory_mb: int | None
    since: datetime
    until: datetime | None

    @property
    def tells_machine(self) -> bool:
        """Whether it says something of the machine itself, beside its devices."""
        return not self.devices or self.cpus is not None or self.memory_mb is not None


def read(lines: Iterable[str]) -> list[Grant]:
    """The grants of a CSV file, opened with newline="". Raises InventoryWrong with every mistake."""
    reader = csv.DictReader(lines, strict=True)
    mistakes: list[str] = []
    grants: list[Grant] = []
    try:
        mistakes += _header(list(reader.fieldnames or ()))
        if not mistakes:
            for row in reader:
                try:
                    grants.append(_grant(row, reader.line_num))
                except ValueError as error:
                    mistakes += [f"line {reader.line_num}: {told}" for told in error.args]
    except csv.Error as error:
        mistakes.append(f"line {reader.line_num}: {error}: write it as CSV, with quotes closed")
    mistakes += _overlaps(grants)
    if mistakes:
        raise InventoryWrong("nothing was imported:\n" + "\n".join(mistakes))
    return grants


def _header(names: list[str]) -> list[str]:
    told = [f"line 1: column {name!r} is missing: add it" for name in NEEDED if name not in names]
    known = ", ".join(COLUMNS)
    told += [f"line 1: column {name!r} is not known: use {known}" for name in names if name not in COLUMNS]
    told += [
        f"line 1: column {name!r} is there twice: keep one" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    return told


def _grant(row: dict[str, str | None], line: int) -> Grant:
    """Raises ValueError with a message for each mistake of the row."""
    if None in row:
        raise ValueError("more fields than the header: quote what holds a comma")
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    wrong: list[str] = []
    if not cells["name"]:
        wrong.append("name is empty: write the node or VM")
    count = _number(cells, "devices", wrong, most=MOST_DEVICES)
    if cells["device"] and cells["devices"]:
        wrong.append("device and devices exclude each other: one names a device, the other counts them")
    devices = (cells["device"],) if cells["device"] else tuple(f"{cells['name']}/{i}" for i in range(count or 0))
    if devices and not cells["model"]:
        wrong.append("model is empty: write the model of the device")
    kind = cells["kind"] or "gpu"
    if kind not in KINDS:
        wrong.append(f"kind {kind!r}: write gpu or fpga")
    since, until = _moment(cells, "from", wrong), _moment(cells, "until", wrong)
    if not cells["from"]:
        wrong.append("from is empty: write the day of the grant, e.g. 2026-01-31")
    if since and until and until <= since:
        wrong.append("until is not after from: until is the first moment that is no longer granted")
    cpus, memory_mb = _number(cells, "cpus", wrong), _number(cells, "memory_mb", wrong)
    if wrong or since is None:
        raise ValueError(*wrong)
    return Grant(
        line, cells["name"], devices, kind, cells["model"], cells["owner_project"], cells["given_to"],
        cpus, memory_mb, since, until,
    )  # fmt: skip


def _number(cells: dict[str, str], name: str, wrong: list[str], most: int = MOST) -> int | None:
    text = cells[name]
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > most:
        wrong.append(f"{name} {text!r}: write a whole number from 0 to {most}")
        return None
    return int(text)


def _moment(cells: dict[str, str], name: str, wrong: list[str]) -> datetime | None:
    """A day or a moment; without an offset it is UTC."""
    text = cells[name]
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        wrong.append(f"{name} {text!r}: write 2026-01-31 or 2026-01-31T12:00+01:00")
        return None


def _overlaps(grants: list[Grant]) -> Iterator[str]:
    """A device is granted once at a time; so is a machine, in rows that tell its cores, memory, or no device."""
    held: dict[tuple[str, str], list[Grant]] = {}
    for grant in grants:
        for device in (*grant.devices, *([""] if grant.tells_machine else [])):
            held.setdefault((grant.name, device), []).append(grant)
    for (name, device), those in held.items():
        latest = None
        for first, second in pairwise(sorted(those, key=lambda g: (g.since, g.line))):
            latest = first if latest is None or _later(first, latest) else latest
            if latest.until is None or latest.until > second.since:
                what = device or name
                yield f"line {second.line}: {what} is granted in line {latest.line} too: end that one before"


def _later(one: Grant, other: Grant) -> bool:
    return other.until is not None and (one.until is None or one.until > other.until)
