"""Case `polling`: what 200 running sessions cost their hub while nothing happens."""

import os
import re
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from mlinfn_condor.bench.figures import Case, Measured, Target
from mlinfn_condor.bench.spawn_stand import HubStand, Plan
from mlinfn_condor.bench.spawn_visitor import Failed, Visitor
from mlinfn_condor.errors import Timeout
from mlinfn_condor.hub.watch import PoolWatch
from mlinfn_condor.node.description import Node

NAME = "polling"
TARGET: Target = {"cpu_percent": ("<=", 2), "queries_per_interval": ("<=", 1), "sessions": (">=", 200)}
SESSIONS = 200
STARTS_AT_ONCE = 8
SETTLE_SECONDS = 20
"""After the last start, until what follows a start is over."""
NODE = Node(name="large", cpus=512, memory_mb=1024**2, devices=(), stands_for="a node with room, simulated")
"""Half of a node without devices is for sessions, one core each."""
PLAN = Plan(
    people=SESSIONS,
    nodes=(NODE,),
    stand_in=True,
    # The access point itself writes down who asked it what; the hub's own count would be its own word.
    overrides="\nINTERACTIVE_DEBUG = D_COMMAND D_SUB_SECOND\nINTERACTIVE.SCHEDD_DEBUG = D_COMMAND D_SUB_SECOND\n"
    "INTERACTIVE.MAX_SCHEDD_LOG = 1000000000\n",
)
OPTIONS = {"count": 0, "cpus": 1, "memory_mb": 256}
_QUERY = re.compile(r"^(\d\d/\d\d/\d\d \d\d:\d\d:\d\d\.\d+).*\bcommand \d+ \(QUERY_JOB_ADS\w*\) from (\S+)@")


def queries(log: Iterable[str], identity: str) -> list[float]:
    """When somebody of this identity asked for the queue (seconds of the epoch), by a schedd's log with D_COMMAND."""
    found = (_QUERY.match(line) for line in log)
    return [
        datetime.strptime(match[1], "%m/%d/%y %H:%M:%S.%f").astimezone().timestamp()
        for match in found
        if match and match[2] == identity
    ]


def most_in_an_interval(asked: Iterable[float], interval_seconds: float) -> int:
    """The most questions that came in one interval; intervals lie around the first question and what follows it."""
    counts: dict[int, int] = {}
    ordered = sorted(asked)
    for moment in ordered:
        place = round((moment - ordered[0]) / interval_seconds)
        counts[place] = counts.get(place, 0) + 1
    return max(counts.values(), default=0)


def family(root: int, parents: Mapping[int, int]) -> set[int]:
    """The descendants of a process, from each process's parent."""
    found: set[int] = set()
    grown = {root}
    while grown:
        grown = {process for process, parent in parents.items() if parent in grown} - found
        found |= grown
    return found


def measure(stand: HubStand, seconds: float) -> Measured:
    """CPU of the hub's process, of its services and of its proxy over so many seconds, in percent of one core.

    A start that fails counts in `failed`, and that person clicks once more.
    """
    failures = _start_all(stand)
    time.sleep(SETTLE_SECONDS)
    log = stand.pool.layout.log / "InteractiveLog"
    hub = _process_of(str(stand.hub.layout.configuration))
    proxy = _process_of("configurable-http-proxy", str(stand.hub.settings.addresses.proxy_api).rpartition(":")[2])
    before, began = _used(hub, proxy), time.time()
    with stand.report.step(f"{NAME}: look for {seconds:g} s"):
        time.sleep(seconds)
    after, ended = _used(hub, proxy), time.time()
    with log.open(errors="replace") as lines:
        asked = [moment for moment in queries(lines, "hub") if began <= moment <= ended]
    interval = float(PoolWatch.interval_seconds.default_value)
    share = {name: round(100 * (after[name] - before[name]) / (ended - began), 2) for name in after}
    figures = {
        "cpu_percent": share["hub"],
        "services_cpu_percent": share["services"],
        "proxy_cpu_percent": share["proxy"],
        "queries_per_interval": most_in_an_interval(asked, interval),
        "queries": len(asked),
        "interval_s": interval,
        "window_s": round(ended - began, 1),
        "rss_mb": _resident_mb(hub),
        "sessions": _sessions(stand),
        "failed": len(failures),
    }
    if not asked:
        del figures["queries_per_interval"]  # not measured is not the same as none
    return Measured(figures, failures=failures)


def case(ours: Measured) -> Case:
    """The case, with its target."""
    return Case(NAME, ours, TARGET)


def _start_all(stand: HubStand) -> list[str]:
    passwords, failures = stand.hub.passwords, []

    def start(name: str) -> None:
        for _ in range(2):
            try:
                Visitor(stand.hub.url, name, passwords[name]).start(OPTIONS)
                break
            except (Failed, OSError) as error:
                failures.append(str(error))
        step.advance(1)

    with (
        stand.report.step(f"{NAME}: start {SESSIONS} sessions", SESSIONS) as step,
        ThreadPoolExecutor(STARTS_AT_ONCE) as several,
    ):
        list(several.map(start, stand.plan.names))
    return failures


def _sessions(stand: HubStand) -> int:
    """Sessions that run, as nodes tell."""
    return len(stand.holders())


def _used(hub: int, proxy: int) -> dict[str, float]:
    """CPU seconds so far."""
    parents = {int(entry.name): parent for entry in Path("/proc").glob("[0-9]*") if (parent := _parent(entry))}
    services = sum(_cpu_seconds(process) for process in family(hub, parents))
    return {"hub": _cpu_seconds(hub), "services": services, "proxy": _cpu_seconds(proxy)}


def _process_of(*words: str) -> int:
    """The one process whose command line has all these words. Raises Timeout if there is none."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if all(word in command for word in words) and int(entry.name) != os.getpid():
            return int(entry.name)
    raise Timeout(f"no process runs {' '.join(words)}")


def _stat(entry: Path) -> list[str]:
    """Fields of /proc/<pid>/stat from the third on: state, parent, …; empty when it is gone."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(entry: Path) -> int:
    fields = _stat(entry)
    return int(fields[1]) if fields else 0


def _cpu_seconds(process: int) -> float:
    fields = _stat(Path("/proc") / str(process))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _resident_mb(process: int) -> int:
    pages = int((Path("/proc") / str(process) / "statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1024**2)
