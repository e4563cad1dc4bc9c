"""Alarms: what each says and what to do, when Prometheus raises it, and when the window does; from rules and code."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from generating import writing
from mlinfn_condor.accounting import dashboards
from mlinfn_condor.web import alarms

_VALUE = re.compile(r"\{\{ *\$value.*?\}\}")
_LABEL = re.compile(r"\{\{ *\$labels\.(\w+) *\}\}")
_UNITS = {"s": "s", "m": "min", "h": "h", "d": "d"}


def rules() -> list[dict[str, Any]]:
    """As Prometheus reads them, in their order."""
    (file,) = [file for file in dashboards.shipped() if file.name.endswith(".yml")]
    groups = yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def kinds() -> list[alarms.Kind]:
    """Those that the window knows."""
    return [one for one in vars(alarms).values() if isinstance(one, alarms.Kind)]


def page() -> str:
    """A table of all, then one for each that raises them."""
    return writing.page(_parts())


def _parts() -> Iterator[str]:
    yield "## What to do"
    yield writing.table(
        ("alarm", "severity", "says", "what to do"),
        [
            (
                writing.code(rule["alert"]),
                rule["labels"]["severity"],
                writing.plain(_said(rule["annotations"]["summary"])),
                writing.plain(rule["annotations"]["description"]),
            )
            for rule in rules()
        ],
    )
    yield "## When Prometheus raises it"
    yield writing.table(
        ("alarm", "while this has an answer", "for"),
        [(writing.code(rule["alert"]), writing.code(rule["expr"]), _long(rule.get("for"))) for rule in rules()],
    )
    yield "## When the window raises it"
    yield writing.table(
        ("alarm", "when a look finds"),
        [(writing.code(kind.name), writing.plain(kind.when)) for kind in kinds()],
    )


def _said(summary: str) -> str:
    """What differs from time to time as the tutorial shows it, and labels by their names."""
    return _LABEL.sub(r"`\1`", _VALUE.sub("…", summary))


def _long(told: str | None) -> str:
    return f"{told[:-1]} {_UNITS[told[-1]]}" if told else "at once"
