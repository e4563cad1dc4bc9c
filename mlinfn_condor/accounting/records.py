"""One record of a history as one line for PostgreSQL's COPY: straight from bytes to bytes, for there are millions.

What each column means is told in `store/migrations/0002-record-attempts.sql`, and why in docs/accounting.md.
"""

from mlinfn_condor.accounting.metered import over_all

DISPLACED = frozenset(
    {1000, 1001, 1003, 1004, 1005, 1006, 1009, 1010, 1011, 1013, 1014, 1015, 1016, 1017, 1018, 1019, 1022, 1025}
) | frozenset(range(1026, 1038))
"""VacateReasonCode by which somebody took the slot back; source: HTCondor 25.14, condor_holdcodes.h.

What is neither here nor below is a failure: of the shadow, the starter, the node, or a hold.
"""
REMOVED = frozenset({1, 1023})
"""Its owner or an administrator held it or took it out of the queue."""

ATTEMPT_COLUMNS = (
    "cluster", "proc", "run", "submitted", "started", "ended", "exit_code", "memory_mb", "memory_asked_mb",
    "memory_peak_kb", "device_memory_peak_mb", "cpus", "cpus_asked", "cpus_used", "devices_busy", "watts", "lost_s",
    "outcome", "username", "project", "class", "node", "slot", "task", "devices", "model", "reason",
)  # fmt: skip
"""Of the staging table; times are seconds of the epoch."""
JOB_COLUMNS = (
    "cluster", "proc", "submitted", "left_queue", "starts", "exit_code", "run_s", "status", "username", "project",
    "class", "reason",
)  # fmt: skip

_NULL = b"\\N"
_UNKNOWN = frozenset({b"undefined", b"error"})


class Unreadable(ValueError):
    """Not a record of an attempt or a job; the text says why."""


def attempt(record: bytes) -> bytes | None:
    """The line of an execution attempt; None for the other kinds of record (a shadow's start). Raises Unreadable."""
    ad = attributes(record)
    if ad.get(b"EpochAdType") != b'"EPOCH"':
        return None
    started = whole(ad, b"JobCurrentStartDate") or whole(ad, b"ShadowBday") or int(needed(ad, b"JobCurrentStartDate"))
    # A clock that was set back must not make an attempt shorter than nothing.
    ended = max(started, int(needed(ad, b"EpochWriteDate")))
    code = int(_number(ad, b"VacateReasonCode") or 0)
    outcome = _outcome(ad, code)
    slot, node = _place(ad)
    names = devices(ad)
    return b"\t".join((
        needed(ad, b"ClusterId"), needed(ad, b"ProcId"), ad.get(b"NumShadowStarts", b"1"), needed(ad, b"QDate"),
        b"%d" % started, b"%d" % ended, _known(ad, b"ExitCode"), _whole_or_null(ad, b"MemoryProvisioned"),
        _whole_or_null(ad, b"RequestMemory"), _whole_or_null(ad, b"ResidentSetSize_RAW", b"ResidentSetSize"),
        _whole_or_null(ad, b"GPUsMemoryUsage"), _known(ad, b"CpusProvisioned"), _known(ad, b"RequestCpus"),
        _known(ad, b"CpusUsage"), _rate(ad, b"", len(names), started), _rate(ad, b"Watts", len(names), started),
        b"%d" % lost_seconds(ad, outcome, started, ended), outcome, text(ad, b"Owner"), text(ad, b"Project", b""),
        text(ad, b"PriorityClass", b""), node, slot, _task(ad),
        b"{" + b",".join(b'"%s"' % name for name in names) + b"}", _model(ad), text(ad, b"VacateReason", _NULL),
    ))  # fmt: skip


def job(record: bytes) -> bytes:
    """The line of a job that left its queue. Raises Unreadable."""
    ad = attributes(record)
    completed = ad.get(b"JobStatus") == b"4"
    left = whole(ad, b"CompletionDate") if completed else 0
    return b"\t".join((
        needed(ad, b"ClusterId"), needed(ad, b"ProcId"), needed(ad, b"QDate"),
        b"%d" % max(left, whole(ad, b"EnteredCurrentStatus")), ad.get(b"NumShadowStarts", b"0"),
        _known(ad, b"ExitCode"), ad.get(b"RemoteWallClockTime", b"0"), b"completed" if completed else b"removed",
        text(ad, b"Owner"), text(ad, b"Project", b""), text(ad, b"PriorityClass", b""),
        text(ad, b"RemoveReason", _NULL),
    ))  # fmt: skip


def attributes(record: bytes) -> dict[bytes, bytes]:
    """Names and values as they stand there. Raises Unreadable, also for a torn record that the next one went on in."""
    try:
        pairs = [line.split(b" = ", 1) for line in record.split(b"\n") if line]
        found: dict[bytes, bytes] = dict(pairs)
    except ValueError:
        line = next(line for line in record.split(b"\n") if line and b" = " not in line)
        raise Unreadable(f"no attribute: {line[:80]!r}") from None
    if len(found) < len(pairs):
        raise Unreadable("an attribute is there twice: two records in one, the first of them torn")
    return found


def lost_seconds(ad: dict[bytes, bytes], outcome: bytes, started: int, ended: int) -> int:
    """Seconds of work that nobody has any more.

    A displaced payload that ended by itself within its window had saved what it wanted to; one that a signal ended lost
    all since its last checkpoint. So did one that failed. What its owner removed, he had.
    """
    killed = outcome == b"displaced" and ad.get(b"ExitBySignal") == b"true"
    if not killed and outcome != b"failed":
        return 0
    return ended - min(ended, max(started, whole(ad, b"LastCkptTime")))


def _outcome(ad: dict[bytes, bytes], code: int) -> bytes:
    if code in DISPLACED:
        return b"displaced"
    if code in REMOVED:
        return b"removed"
    if code == 0 and ad.get(b"ExitBySignal") != b"true" and ad.get(b"ExitCode") == b"0":
        return b"completed"
    return b"failed"


def _place(ad: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    """Slot and node. A node of another pool has that pool's collector behind it: names and devices are its own."""
    slot, _, rest = text(ad, b"RemoteHost", b"").partition(b"@")
    node = rest.partition(b"@")[0] or slot
    pool = text(ad, b"RemotePool", b"")
    return slot, node + b"@" + pool if pool else node


def devices(ad: dict[bytes, bytes]) -> list[bytes]:
    """Ids of its devices, GPUs first."""
    found = [text(ad, name, b"") for name in (b"AssignedGPUs", b"AssignedFPGAs")]
    names = [name.strip() for given in found for name in given.split(b",") if name.strip()]
    if any(b'"' in name or b"\\" in name for name in names):
        raise Unreadable("a device's id with a quote in it")
    return names


def needed(ad: dict[bytes, bytes], name: bytes) -> bytes:
    """A whole number that a record cannot be without."""
    value = ad.get(name, b"")
    if not value.isdigit():
        raise Unreadable(f"{name.decode()} is {value.decode(errors='replace')[:40] or 'missing'}")
    return value


def whole(ad: dict[bytes, bytes], name: bytes) -> int:
    """A whole number, 0 when it is not there."""
    value = ad.get(name, b"")
    return int(value) if value.isdigit() else 0


def text(ad: dict[bytes, bytes], name: bytes, missing: bytes | None = None) -> bytes:
    """A string for COPY. Raises Unreadable when it is not there and nothing stands in for it."""
    value = ad.get(name, b"")
    if len(value) < 2 or value[:1] != b'"':
        if missing is None:
            raise Unreadable(f"{name.decode()} is {value.decode(errors='replace')[:40] or 'missing'}")
        return missing
    inner = value[1:-1]
    if b"\\" in inner or b"\t" in inner or b"\r" in inner:
        inner = inner.replace(b'\\"', b'"')  # ClassAds escape the quote alone
        inner = inner.replace(b"\\", b"\\\\").replace(b"\t", b"\\t").replace(b"\r", b"\\r")
    if not inner.isascii():
        inner = inner.decode(errors="replace").encode()
    return inner.replace(b"\0", b"")


def _task(ad: dict[bytes, bytes]) -> bytes:
    """What it is to its user: a session, the batch's name, or else the program."""
    if ad.get(b"PriorityClass") == b'"interactive"':
        return b"JupyterLab"
    return text(ad, b"JobBatchName", b"") or text(ad, b"Cmd", b"").rpartition(b"/")[2]


def _model(ad: dict[bytes, bytes]) -> bytes:
    return text(ad, b"MachineAttrGPUs_DeviceModel0", b"") or text(ad, b"MachineAttrFPGAs_DeviceModel0", b"")


def _rate(ad: dict[bytes, bytes], what: bytes, count: int, started: int) -> bytes:
    """Average of busy devices or watts while they were measured, for all `count` devices (docs/metering.md)."""
    told = over_all(
        (
            (_number(ad, kind + what + b"AverageUsage"), _number(ad, kind + what + b"MeasuredAverageUsage"))
            for kind in (b"GPUs", b"FPGAs")
            # Older than the attempt: the figures of the one before, or none.
            if (_number(ad, kind + b"MeteredAtUsage") or 0) >= started
        ),
        count,
    )
    return _NULL if told is None else b"%.6g" % told


def _number(ad: dict[bytes, bytes], name: bytes) -> float | None:
    value = ad.get(name)
    if value is None or value in _UNKNOWN:
        return None
    try:
        return float(value)
    except ValueError:
        return None  # an expression


def _known(ad: dict[bytes, bytes], name: bytes) -> bytes:
    return _NULL if _number(ad, name) is None else ad[name]


def _whole_or_null(ad: dict[bytes, bytes], *names: bytes) -> bytes:
    for name in names:
        if (value := _number(ad, name)) is not None:
            return b"%d" % value
    return _NULL
