"""A bench's object as a table for a person."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table


def table(told: Mapping[str, Any]) -> Table:
    """One row a figure: ours, its target and whether that holds, and what stands beside it."""
    machine = ", ".join(f"{name} {value}" for name, value in told["machine"].items())
    versions = ", ".join(f"{name} {value}" for name, value in told["versions"].items())
    drawn = Table(
        title=f"{told['bench']}{' (quick look)' if told['quick'] else ''}, {told['began']}",
        caption="\n".join((machine, versions, *_failures(told))),
        box=box.SIMPLE_HEAD,
    )
    for column in ("case", "figure", "ours", "target", "", "beside"):
        drawn.add_column(column, justify="left" if column in ("case", "figure") else "right")
    for case in told["cases"]:
        beside = case.get("beside", {})
        for place, (name, value) in enumerate(case["figures"].items()):
            bound = case["target"].get(name)
            target, mark = (f"{bound[0]} {bound[1]:g}", _mark(value, bound)) if bound else ("", "")
            other = beside.get("figures", {}).get(name)
            drawn.add_row(
                case["case"] if place == 0 else "",
                name,
                f"{value:g}",
                target,
                mark,
                "" if other is None else f"{other:g}",
            )
        if not case["figures"]:
            drawn.add_row(case["case"], "none", "", "", "[red]missed[/]", "")
        drawn.add_section()
    return drawn


def _failures(told: Mapping[str, Any]) -> Iterator[str]:
    """What failed in each case, each reason once."""
    for case in told["cases"]:
        for side, measured in (("", case), (" beside", case.get("beside", {}))):
            for reason in dict.fromkeys(measured.get("failures", ())):
                yield escape(f"{case['case']}{side}: {reason}")


def _mark(value: float, bound: tuple[str, float]) -> str:
    reached = value <= bound[1] if bound[0] == "<=" else value >= bound[1]
    return "[green]holds[/]" if reached else "[red]missed[/]"
