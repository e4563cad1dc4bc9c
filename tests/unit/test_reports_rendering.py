"""Reports as text for programs and as a page for people."""

import csv
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from mlinfn_condor.accounting.reports import Column, Period, Report, Table
from mlinfn_condor.accounting.reports.rendering import as_csv, as_json, page
from mlinfn_condor.accounting.reports.rendering.figures import shown
from mlinfn_condor.accounting.reports.report import total

COLUMNS = (Column("user", "who", adds_up=False), Column("busy_h", "busy"), Column("kwh", "energy"))
ROWS = (("alice <&>", 1.5, None), ("bob", 2.0, 0.25))
TABLE = Table("use", "Use", COLUMNS, ROWS, total(COLUMNS, ROWS), ("busy_h",))
REPORT = Report(
    "usage",
    "Usage",
    "Who?",
    Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
    "user",
    (TABLE,),
    ("a note",),
)


class Elements(HTMLParser):
    """Which elements are open at the end, and every attribute that would fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value for name, value in attrs if name in ("src", "href") and not str(value).startswith("#")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing is open afterwards."""


def test_the_page_is_whole_and_fetches_nothing() -> None:
    text = page([REPORT])
    elements = Elements()
    elements.feed(text)
    assert elements.open == []
    assert elements.fetched == []
    assert "url(" not in text
    assert "<script" not in text


def test_the_page_says_names_as_they_are_and_the_period_and_the_notes() -> None:
    text = page([REPORT])
    assert "alice &lt;&amp;&gt;" in text
    assert "alice <&>" not in text
    assert "2026-01-01 to 2026-02-01 UTC" in text
    assert "a note" in text


def test_a_bar_is_as_long_as_its_figure() -> None:
    short, long = (float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)" height="20"', page([REPORT])))
    assert short / long == pytest.approx(0.75, abs=0.001)


def test_json_keeps_what_is_unknown_apart_from_zero() -> None:
    told = json.loads(as_json([REPORT]))
    assert told["tables"]["use"]["rows"][0] == {"user": "alice <&>", "busy_h": 1.5, "kwh": None}
    assert told["tables"]["use"]["total"] == {"user": "total", "busy_h": 3.5, "kwh": 0.25}
    assert [each["report"] for each in json.loads(as_json([REPORT, REPORT]))] == ["usage", "usage"]


def test_csv_can_be_read_back() -> None:
    assert list(csv.reader(as_csv([REPORT]).splitlines())) == [
        ["user", "busy_h", "kwh"],
        ["alice <&>", "1.5", ""],
        ["bob", "2.0", "0.25"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (0.0, "0.00"), (0.001, "<0.01"), (-0.001, ">-0.01"), (1e-12, "0.00"), (1234.5, "1,234.50"), (3, "3")],
)
def test_a_figure_that_is_not_zero_never_looks_like_it(value: float | None, text: str) -> None:
    assert shown(value) == text


def test_the_total_of_unknown_figures_is_unknown() -> None:
    assert total(COLUMNS, [("alice", 1.0, None)]) == ("total", 1.0, None)
    assert total(COLUMNS, []) == ("total", 0, 0)
