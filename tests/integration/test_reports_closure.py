"""Closure of every report, for made-up histories, beside a slow and obvious count of one tick after the other."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres import fresh_database

from mlinfn_condor.accounting.reports import Period, answer
from mlinfn_condor.accounting.reports.report import Report
from mlinfn_condor.store import Connection, connect, migrate
from mlinfn_condor.store.local import LocalServer

TICK_S = 600
"""All moments are multiples of it, so that a tick is wholly in or out."""
DAYS = 3
TICKS = DAYS * 86400 // TICK_S
START = datetime(2026, 10, 31, tzinfo=UTC)
"""In some zones the clocks change within these days; in the database they do not. A month ends, and a week."""
MONTHS = (date(2026, 10, 1), date(2026, 11, 1))
BOTH_MONTHS = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
DEVICES = (("node-a", "GPU-0", "A100"), ("node-a", "GPU-1", "A100"), ("node-b", "GPU-0", "T4"))
WHO = (("alice", "alpha"), ("bob", "beta"), ("carol", "alpha"))
CLASSES = ("interactive", "dask", "batch")
EXACT = 1e-6
BY = ("device-model", "day", "week", "month", "user", "project", "class")


@dataclass(frozen=True)
class Attempt:
    """On devices of one node, from tick to tick."""

    number: int
    places: tuple[int, ...]
    start: int
    end: int
    who: tuple[str, str]
    kind: str
    lost: int
    busy: float | None
    """Busy devices on average."""
    running: bool

    @property
    def order(self) -> tuple[int, int, int]:
        return self.start, self.end, self.number


@dataclass(frozen=True)
class Grant:
    """A device in the inventory, from tick to tick."""

    place: int
    start: int
    end: int
    owner: str
    given_to: str


@dataclass(frozen=True)
class History:
    attempts: tuple[Attempt, ...]
    grants: tuple[Grant, ...]
    rolled: frozenset[int]
    """Days that were rolled up."""
    months_after: int
    """The day after whose turn the months were rolled up; none of this number: they were not."""


def moments(below: int = TICKS) -> st.SearchStrategy[int]:
    """Any tick, and often the borders of days."""
    return st.one_of(st.sampled_from([0, TICKS // DAYS, 2 * TICKS // DAYS]), st.integers(0, below))


@st.composite
def attempts(draw: st.DrawFn) -> tuple[Attempt, ...]:
    """Overlapping, of no length, across days, on no device or two, some still running, numbered in no order of time."""
    made = []
    for number in range(draw(st.integers(0, 10))):
        start = draw(moments())
        end = min(TICKS, start + draw(st.sampled_from([0, 1, 3, 20, 143, 144, 145, 300])))
        places = draw(st.sampled_from([(), (0,), (0,), (1,), (2,), (0, 1), (1, 0)]))
        running = draw(st.integers(0, 5)) == 0
        made.append(
            Attempt(
                1000 - 7 * number if number % 2 else number,
                places,
                start,
                end,
                draw(st.sampled_from(WHO)),
                draw(st.sampled_from(CLASSES)),
                0 if running else draw(st.sampled_from([0, 0, 1, 10, end - start])),
                draw(st.sampled_from([None, 0.0, 0.25, 0.5, 1.0])),
                running,
            )
        )
    return tuple(made)


@st.composite
def grants(draw: st.DrawFn) -> tuple[Grant, ...]:
    """Each device's periods one after the other, with gaps, of the pool, of a project, given away."""
    made = []
    for place in range(len(DEVICES)):
        cuts = sorted(draw(st.sets(moments(), max_size=4)) | ({0, TICKS} if draw(st.booleans()) else set()))
        for start, end in pairwise(cuts):
            if draw(st.integers(0, 4)):
                owner = draw(st.sampled_from(["", "alpha", "beta"]))
                made.append(Grant(place, start, end, owner, draw(st.sampled_from(["", "", "beta", "gamma"]))))
    return tuple(made)


rolled = st.one_of(st.just(frozenset(range(DAYS + 1))), st.frozensets(st.integers(0, DAYS)))
histories = st.builds(History, attempts(), grants(), rolled, st.sampled_from([*range(DAYS + 2), DAYS]))
WHOLE_MONTHS = (0, TICKS + 1)
"""Stands for both months, for everything that there is lies in these ticks."""
periods = st.one_of(
    st.just(WHOLE_MONTHS),
    st.just((0, TICKS)),
    st.sampled_from([(0, 144), (144, 288), (144, 432)]),
    st.tuples(st.integers(0, TICKS - 1), st.integers(1, TICKS)).filter(lambda p: p[0] < p[1]),
)


@pytest.fixture(scope="module")
def connection(postgres: LocalServer) -> Iterator[Connection]:
    with fresh_database(postgres) as dsn:
        migrate(dsn)
        with connect(dsn) as opened:
            for node, device, model in DEVICES:
                opened.execute("INSERT INTO mlinfn.device VALUES (%s, %s, 'gpu', %s)", (node, device, model))
            opened.commit()
            yield opened


def at(tick: int) -> datetime:
    return START + timedelta(seconds=tick * TICK_S)


def store(connection: Connection, history: History) -> None:
    """As a recorder would have left it."""
    for a in history.attempts:
        node = DEVICES[a.places[0]][0] if a.places else "node-a"
        who = {
            "user": a.who[0],
            "project": a.who[1],
            "class": a.kind,
            "node": node,
            "devices": [DEVICES[place][1] for place in a.places],
            "start": at(a.start),
            "end": at(a.end),
            "number": a.number,
            "busy": a.busy,
            "lost": a.lost * TICK_S,
        }
        connection.execute(RUNNING if a.running else ATTEMPT, who)
    for g in history.grants:
        node, device, _ = DEVICES[g.place]
        connection.execute(GRANT, (node, device, at(g.start), at(g.end), g.owner, g.given_to))
    for day in range(DAYS + 1):
        wanted = (START + timedelta(days=day)).date()
        connection.execute("INSERT INTO mlinfn.day_state VALUES (%s, clock_timestamp())", (wanted,))
        if day in history.rolled:
            connection.execute("SELECT mlinfn.roll_up_day(%s)", (wanted,))
        for month in MONTHS if day == history.months_after else ():
            connection.execute("SELECT mlinfn.roll_up_month(%s)", (month,))


ATTEMPT = """INSERT INTO mlinfn.attempt (access_point, cluster, proc, run, submitted_at, started_at, ended_at, outcome,
    username, project, class, node, slot, devices, devices_busy, lost_s)
    VALUES ('batch@', %(number)s, 0, 1, %(start)s, %(start)s, %(end)s, 'displaced',
    %(user)s, %(project)s, %(class)s, %(node)s, 'slot1', %(devices)s, %(busy)s, %(lost)s)"""
RUNNING = """INSERT INTO mlinfn.running (access_point, cluster, proc, submitted_at, started_at, seen_at,
    username, project, class, node, slot, devices, devices_busy)
    VALUES ('batch@', %(number)s, 0, %(start)s, %(start)s, %(end)s,
    %(user)s, %(project)s, %(class)s, %(node)s, 'slot1', %(devices)s, %(busy)s)"""
GRANT = "INSERT INTO mlinfn.device_period VALUES (%s, %s, tstzrange(%s, %s), %s, %s, 'test')"

Sums = dict[str, Counter[str]]


def counted(history: History, lo: int, hi: int, by: str) -> dict[str, Sums]:
    """Every report's figures in hours, one tick of one device after the other."""
    told: dict[str, Sums] = {name: defaultdict(Counter) for name in ("allocation", "utilisation", "owners")}
    hour = TICK_S / 3600
    in_order = sorted(history.attempts, key=lambda a: a.order)
    for tick in range(lo, hi):
        for place, (_, _, model) in enumerate(DEVICES):
            grant = next((g for g in history.grants if g.place == place and g.start <= tick < g.end), None)
            holder = next((a for a in in_order if place in a.places and a.start <= tick < a.end), None)
            for waiting in in_order:
                if waiting is not holder and place in waiting.places and waiting.start <= tick < waiting.end:
                    told["utilisation"][key_of(by, tick, model, *waiting.who, waiting.kind)]["handover_h"] += hour
            if holder:
                key = key_of(by, tick, model, *holder.who, holder.kind)
                told["allocation"][key].update(granted_h=hour, claimed_h=hour, **{f"{holder.kind}_h": hour})
                done = told["utilisation"][key]
                done["claimed_h"] += hour
                if tick >= holder.end - holder.lost:
                    done["lost_h"] += hour
                elif holder.busy is None:
                    done["unmeasured_h"] += hour
                else:
                    busy = min(1, holder.busy / len(holder.places))
                    done.update(busy_h=hour * busy, idle_h=hour * (1 - busy))
            elif grant:
                name = f"(given to {grant.given_to})" if grant.given_to else "(unallocated)"
                part = "given_h" if grant.given_to else "unallocated_h"
                told["allocation"][key_of(by, tick, model, name, name, name)].update({"granted_h": hour, part: hour})
            if grant and grant.owner:
                had = holder.who[1] if holder else grant.given_to
                part = "own_h" if had == grant.owner else "lent_h" if had else "idle_h"
                other = "" if by == "project" else "/" + key_of(by, tick, model, "", "", "")
                told["owners"][grant.owner + other].update({"contributed_h": hour, part: hour})
    return told


def key_of(by: str, tick: int, model: str, user: str, project: str, kind: str) -> str:
    day: date = at(tick).date()
    year, week, _ = day.isocalendar()
    names = {"day": str(day), "week": f"{year}-W{week:02}", "month": f"{day:%Y-%m}"}
    return {**names, "user": user, "project": project, "class": kind, "device-model": model}[by]


def figures(report: Report) -> dict[str, dict[str, float]]:
    """Rows by key, without those in which everything is zero."""
    (table,) = report.tables[:1]
    rows = {str(row[0]): record for row, record in zip(table.rows, table.records(), strict=True)}
    hours = {
        key: {name: float(value) for name, value in row.items() if name.endswith("_h") and isinstance(value, float)}
        for key, row in rows.items()
    }
    return {key: row for key, row in hours.items() if any(abs(value) > EXACT for value in row.values())}


def same(found: dict[str, dict[str, float]], wanted: Sums) -> None:
    assert found.keys() == wanted.keys()
    for key, row in found.items():
        for name in row.keys() - {"energy_unknown_h"}:
            assert row[name] == pytest.approx(wanted[key][name], abs=EXACT), (key, name)


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories, period=periods, by=st.sampled_from(BY))
def test_every_report_closes_and_agrees_with_the_slow_count(
    connection: Connection, history: History, period: tuple[int, int], by: str
) -> None:
    lo, hi = period
    try:
        store(connection, history)
        asked = BOTH_MONTHS if period == WHOLE_MONTHS else Period(at(lo), at(hi))
        wanted = counted(history, lo, hi, by)
        allocation = figures(answer(connection, "allocation", asked, by))
        for row in allocation.values():
            assert row["granted_h"] == pytest.approx(
                row["claimed_h"] + row["given_h"] + row["unallocated_h"], abs=EXACT
            )
            assert min(row.values()) > -EXACT
        same(allocation, wanted["allocation"])
        utilisation = figures(answer(connection, "utilisation", asked, by))
        for row in utilisation.values():
            parts = row["busy_h"] + row["idle_h"] + row["lost_h"] + row["unmeasured_h"]
            assert row["claimed_h"] == pytest.approx(parts, abs=EXACT)
        same(utilisation, wanted["utilisation"])
        if by not in ("user", "class"):
            owners = figures(answer(connection, "owners", asked, by))
            for row in owners.values():
                assert row["contributed_h"] == pytest.approx(row["own_h"] + row["lent_h"] + row["idle_h"], abs=EXACT)
            same(owners, wanted["owners"])
        used = {str(row[0]): row for row in answer(connection, "usage", asked, "user").tables[0].rows}
        ended = Counter(a.who[0] for a in history.attempts if not a.running and (lo <= a.end < hi))
        assert Counter({user: int(row[1] or 0) for user, row in used.items() if row[1]}) == ended
    finally:
        connection.rollback()


def test_the_slow_count_knows_all_parts() -> None:
    """The count itself, where a person can do it: who was first keeps the device."""
    first = Attempt(1, (0,), 0, 12, WHO[0], "batch", 6, 1.0, running=False)
    second = Attempt(2, (0,), 6, 18, WHO[1], "interactive", 0, None, running=False)
    granted = Grant(0, 0, 24, "alpha", "")
    told = counted(History((second, first), (granted,), frozenset(), 0), 0, 30, "user")
    assert told["allocation"]["alice"]["batch_h"] == pytest.approx(2)
    assert told["utilisation"]["alice"]["lost_h"] == pytest.approx(1)
    assert told["utilisation"]["alice"]["busy_h"] == pytest.approx(1)
    assert told["utilisation"]["bob"]["unmeasured_h"] == pytest.approx(1)
    assert told["allocation"]["(unallocated)"]["unallocated_h"] == pytest.approx(1)
