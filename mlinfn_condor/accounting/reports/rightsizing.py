"""How far could the cores and memory of a task with one device shrink?"""

import re
from collections import defaultdict
from datetime import date

from mlinfn_condor.accounting.reports import sizes
from mlinfn_condor.accounting.reports.database import Asked
from mlinfn_condor.accounting.reports.report import Column, Report, Table, Value
from mlinfn_condor.shipped import shipped

PARTS = (0.5, 0.9, 0.95, 0.99)
_QUANTITIES = ("cpus_asked", "cpus_used", "memory_asked_mb", "memory_peak_mb")
_RESERVE = re.compile(r"^MLINFN_HANDOVER_RESERVE_MB\s*=\s*(\d+)", re.MULTILINE)

PERCENTILES = (
    Column("quantity", "cpus_used is the average over the attempt, memory_peak_mb the largest at any moment", False),
    *(Column(f"p{round(100 * part)}", f"{round(100 * part)} % of the tasks had no more", False) for part in PARTS),
)
PROPOSAL = (
    Column("request_cpus", "smallest whole cores that the average use of 95 % of the tasks does not exceed", False),
    Column("request_memory_mb", "smallest memory, in steps of 128 MiB, that the peak of 95 % did not touch", False),
    Column("sure_memory_mb", "95 % sure: with this one, 95 % of all such tasks fit; empty: too few tasks", False),
    Column("more_tasks_per_node", "tasks that the cores and memory of a node would hold beyond today's", False),
    Column("tasks", "tasks with one device whose use was measured"),
    Column("first_day", "of the first of them", False),
    Column("last_day", "of the last", False),
    Column("how_sure", "what the number of tasks allows to say", False),
    Column("site_file", "a line for the site's file; see the notes", False),
)
Histograms = dict[str, dict[str, dict[float, int]]]
"""By model/class and quantity: number of tasks at each value."""
KEY = Column("device_model_and_class", "device model / priority class", adds_up=False)


def report(asked: Asked) -> Report:
    """A row per device model and class, percentiles of what was asked and used, and a proposal."""
    histograms, spans = read(asked)
    nodes = {model: sizes.Node(*capacity) for model, *capacity in asked.rows("node_capacity")}
    reserve_mb = _reserve_mb()
    measured, proposed = [], []
    for key, by_quantity in sorted(histograms.items()):
        for quantity in _QUANTITIES:
            histogram = by_quantity[quantity]
            measured.append((key, quantity, *(_shown(sizes.percentile(histogram, part)) for part in PARTS)))
        proposed.append((key, *_proposal(by_quantity, spans[key], nodes.get(key.split("/")[0]), reserve_mb)))
    tables = (
        Table("proposal", "The smallest request that would have served 95 %", (KEY, *PROPOSAL), tuple(proposed)),
        Table("percentiles", "What 50, 90, 95 and 99 % asked for and used", (KEY, *PERCENTILES), tuple(measured)),
    )
    return Report(
        "rightsizing",
        "Right sizes",
        "How far could CPU and memory of a task with one device shrink without touching its peak?",
        asked.period,
        asked.by,
        tables,
        _notes(reserve_mb) if measured else ("no task with one device was measured in this period",),
    )


def read(asked: Asked) -> tuple[Histograms, dict[str, tuple[date, date]]]:
    """Histograms, and first and last day, by model/class; only tasks that know all four quantities are in them."""
    histograms: Histograms = defaultdict(lambda: defaultdict(dict))
    spans: dict[str, tuple[date, date]] = {}
    for model, kind, quantity, value, tasks, first, last in asked.rows("sizes"):
        key = f"{model}/{kind}"
        histograms[key][quantity][value] = tasks
        earliest, latest = spans.get(key, (first, last))
        spans[key] = min(earliest, first), max(latest, last)
    return histograms, spans


def _proposal(
    by_quantity: dict[str, dict[float, int]], span: tuple[date, date], node: sizes.Node | None, reserve_mb: int
) -> tuple[Value, ...]:
    cpus = sizes.whole_cores(sizes.percentile(by_quantity["cpus_used"], sizes.SERVED))
    memory_mb = sizes.whole_memory_mb(sizes.percentile(by_quantity["memory_peak_mb"], sizes.SERVED))
    tasks = sum(by_quantity["memory_peak_mb"].values())
    rank = sizes.sure_rank(tasks)
    sure_mb = sizes.whole_memory_mb(sizes.at_rank(by_quantity["memory_peak_mb"], rank)) if rank else None
    more, line = None, None
    if node:
        asked_cpus, asked_mb = (sizes.percentile(by_quantity[q], 0.5) for q in ("cpus_asked", "memory_asked_mb"))
        more = sizes.holds(node, cpus, memory_mb) - sizes.holds(node, asked_cpus, asked_mb)
        percent = sizes.bare_percent(node, cpus, sure_mb or memory_mb, reserve_mb)
        line = f"MLINFN_BARE_PERCENT = {percent}" if rank else None
    sure = "sure_memory_mb holds with 95 %" if rank else f"too few: {tasks} of at least {sizes.FEWEST} tasks"
    return cpus, memory_mb, sure_mb, more, tasks, str(span[0]), str(span[1]), sure, line


def _notes(reserve_mb: int) -> tuple[str, ...]:
    return (
        "cores used are an average over the attempt, memory is its peak: a task may want more cores for a moment, "
        "and gets them where others leave them",
        "more_tasks_per_node = min(node_cpus // request_cpus, node_memory // request_memory_mb) - the same with the "
        "median of what was asked; the smallest node of the model. Devices are left aside: room for tasks without",
        "site_file: devices keep room for the request on the model's smallest node, the rest goes to tasks without a "
        "device: min over cores and memory of 50 * (1 - devices * request / node), memory with sure_memory_mb and a "
        f"reserve of {reserve_mb} MiB per device (61-size-slots.conf). Of several rows take the smallest value",
        "first attempts of a job tell its peak; later ones at most repeat it (docs/metering.md)",
    )


def _reserve_mb() -> int:
    numbers = (shipped("condor_config.d") / "00-state-the-numbers.conf").read_text(encoding="utf-8")
    found = _RESERVE.search(numbers)
    if found is None:
        raise LookupError("00-state-the-numbers.conf has no MLINFN_HANDOVER_RESERVE_MB")
    return int(found[1])


def _shown(value: float) -> Value:
    return round(value, 1) if value % 1 else int(value)
