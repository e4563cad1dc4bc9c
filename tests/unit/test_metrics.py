"""The endpoint without a database: what the pool shows, who shares a look, what is absent."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from postgres import wait_until
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from mlinfn_condor.accounting import dashboards
from mlinfn_condor.accounting.metrics import shown
from mlinfn_condor.accounting.metrics.exporter import Exporter
from mlinfn_condor.accounting.metrics.families import Gauge
from mlinfn_condor.accounting.metrics.pool_thread import PoolFromThreads
from mlinfn_condor.accounting.metrics.snapshot import Shared
from mlinfn_condor.accounting.metrics.use import unclaimed, used
from mlinfn_condor.cli import app
from mlinfn_condor.errors import PoolUnavailable
from mlinfn_condor.pool import Priority, Submitter
from mlinfn_condor.pool.twin import TwinPool

READING = {"Id": "GPU-0", "Model": "A100", "At": 1_800_000_000, "BusySeconds": 30.5, "Joules": 900, "Health": "ok"}
DARK = {"Id": "FPGA-0", "Model": "U50", "Health": "unknown"}
GONE = {"Id": "GPU-1", "Model": "A100", "Health": "broken", "MemoryUsedMb": 0}
SLOTS = [
    {
        "Name": "slot1@node-a@host",
        "PartitionableSlot": True,
        "MlinfnOffer": "session",
        "DeviceReadings": [READING, DARK, GONE],
    },
    {"Name": "slot2@node-a@host", "PartitionableSlot": True, "MlinfnOffer": "opportunistic"},
    {"Name": "slot2_1@node-a@host", "DynamicSlot": True, "State": "Preempting"},
    {"Name": "slot2_2@node-a@host", "DynamicSlot": True, "State": "Claimed"},
]
PRIORITIES = [
    {"Name": "group_batch", "IsAccountingGroup": True, "Priority": 500.0, "WeightedAccumulatedUsage": 7200.0},
    {"Name": "group_batch.alpha.alice@twin", "Priority": 700.0},
]


def samples(metrics):
    return {
        sample.name: {tuple(each.labels.values()): each.value for each in metric.samples if each.name == sample.name}
        for metric in metrics
        for sample in metric.samples
    }


@pytest.fixture
def pool():
    return TwinPool(SLOTS, PRIORITIES)


def test_readings_are_told_in_base_units_and_what_nobody_knows_is_absent(pool):
    told = samples(shown.told(shown.ask(pool), users=False))
    assert told["mlinfn_device_busy_seconds_total"] == {("node-a", "GPU-0", "A100"): 30.5}
    assert told["mlinfn_device_energy_joules_total"] == {("node-a", "GPU-0", "A100"): 900}
    assert told["mlinfn_device_broken"] == {("node-a", "GPU-0", "A100"): 0, ("node-a", "GPU-1", "A100"): 1}
    assert told["mlinfn_device_memory_used_bytes"] == {("node-a", "GPU-1", "A100"): 0}
    assert "mlinfn_device_power_watts" not in told
    assert told["mlinfn_handovers"] == {(): 1}


def test_people_have_priorities_only_where_they_were_asked_for(pool):
    groups = samples(shown.told(shown.ask(pool), users=False))
    assert groups["mlinfn_effective_priority"] == {("group_batch",): 500}
    assert groups["mlinfn_weighted_slot_seconds_total"] == {("group_batch",): 7200}
    everybody = samples(shown.told(shown.ask(pool), users=True))
    assert everybody["mlinfn_effective_priority"]["group_batch.alpha.alice@twin",] == 700


def test_jobs_of_all_users_of_a_project_and_class_are_one_sample():
    submitters = [
        Submitter("group_batch.alpha.alice@pool", "batch@", 3, 1, 0),
        Submitter("group_batch.alpha.j.doe@pool", "batch@", 4, 0, 2),
        Submitter("group_interactive.alpha.alice@pool", "interactive@", 0, 1, 0),
        Submitter("mallory@pool", "batch@", 1, 0, 0),
    ]
    jobs = samples(shown.told(shown.Shown((), submitters, ()), users=False))["mlinfn_jobs"]
    assert [jobs["alpha", "batch", state] for state in ("idle", "running", "held")] == [7, 1, 2]
    assert jobs["alpha", "interactive", "running"] == 1
    assert jobs["", "", "idle"] == 1


def test_the_pool_is_asked_from_a_thread_and_its_error_comes_back(pool):
    class Twin:
        async def ask(self, question):
            return question(pool)

    asked = PoolFromThreads(1, Twin())
    assert asked.ask(shown.ask).priorities[0] == Priority.from_ad(PRIORITIES[0])

    def refuse(_pool):
        raise PoolUnavailable("no collector")

    with pytest.raises(PoolUnavailable, match="no collector"):
        asked.ask(refuse)
    asked.close()


def test_a_look_is_kept_for_its_time_and_longer_when_it_was_slow():
    now, looks = [0.0], []

    def look():
        looks.append(now[0])
        now[0] += took
        return len(looks)

    took = 0.1
    shared = Shared(look, 5, lambda: now[0])
    assert [shared.ask().result(60), shared.ask().result(60)] == [1, 1]
    now[0] = 5.05
    assert shared.ask().result(60) == 1
    now[0], took = 5.2, 2
    assert shared.ask().result(60) == 2  # asked at 5.2, there at 7.2, good until 25.2
    now[0] = 25
    assert shared.ask().result(60) == 2
    now[0] = 25.3
    assert shared.ask().result(60) == 3


def test_a_look_that_failed_is_not_kept():
    answers = [ZeroDivisionError(), 7]

    def look():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shared = Shared(look, 60)
    with pytest.raises(ZeroDivisionError):
        shared.ask().result(60)
    assert shared.ask().result(60) == 7


def test_scrapes_at_the_same_time_are_one_look():
    begun, may_end, looks = threading.Event(), threading.Event(), []

    def look():
        looks.append(1)
        begun.set()
        assert may_end.wait(60)
        return "seen"

    shared = Shared(look, 60)
    with ThreadPoolExecutor(8) as threads:
        scrapes = [threads.submit(lambda: shared.ask().result(60)) for _ in range(8)]
        assert begun.wait(60)
        may_end.set()
        assert {scrape.result(60) for scrape in scrapes} == {"seen"}
    assert looks == [1]


def test_a_look_that_hangs_is_waited_for_no_longer_than_patience_and_not_begun_twice():
    may_end, looks = threading.Event(), []
    devices = Gauge("mlinfn_test_devices", "For the test.")

    def hang():
        looks.append(1)
        assert may_end.wait(60)
        return [devices.of([((), 3)])]

    exporter = Exporter({"database": hang}, 60, 0.05)
    told = [samples(exporter.collect()) for _ in range(2)]
    assert [each["mlinfn_up"]["database",] for each in told] == [0, 0]
    may_end.set()
    late = wait_until(
        lambda: told if "mlinfn_test_devices" in (told := samples(exporter.collect())) else None,
        30,
        "the look's answer",
    )
    assert late["mlinfn_up"]["database",] == 1
    assert looks == [1]


def test_a_source_that_is_away_takes_nothing_but_its_own_metrics_along():
    devices = Gauge("mlinfn_test_devices", "For the test.", ("model",))

    def away():
        raise PoolUnavailable("no\ncollector")

    said = []
    registry = CollectorRegistry()
    exporter = Exporter({"database": lambda: [devices.of([(["A100"], 3)])], "pool": away}, 0, 30, said.append)
    registry.register(exporter)
    told = samples(text_string_to_metric_families(generate_latest(registry).decode()))
    assert told["mlinfn_up"] == {("database",): 1, ("pool",): 0}
    assert told["mlinfn_test_devices"] == {("A100",): 3}
    assert said == ["metrics: no pool, trying again: no collector"]


def test_a_mistake_of_ours_is_not_taken_for_a_source_that_is_away():
    exporter = Exporter({"database": lambda: [].pop()}, 0, 30, lambda _: None)
    with pytest.raises(IndexError):
        list(exporter.collect())


def test_what_a_project_had_although_the_pool_was_given_it_is_taken_from_the_right_share():
    figures = [1, 0, 0, 100.0, 0, 60, 80, 0, 0, 0, 0, 30.0, 70.0]
    sums = {("A100", "alpha", "batch"): figures}
    told = samples([*used(sums), unclaimed(sums, [("A100", True, 50.0), ("A100", False, 200.0)])])
    assert told["mlinfn_unclaimed_device_seconds"] == {("A100", "given"): 20, ("A100", "unallocated"): 130}
    claimed = told["mlinfn_claimed_device_seconds"]
    assert [claimed["alpha", "batch", "A100", use] for use in ("busy", "idle", "lost", "unmeasured")] == [60, 20, 0, 20]
    assert "mlinfn_attempt_energy_joules" not in told


def test_dashboards_are_written_out_as_they_ship(tmp_path):
    out = CliRunner().invoke(
        app, ["accounting", "dashboards", str(tmp_path / "new" / "folder")], catch_exceptions=False
    )
    written = sorted((tmp_path / "new" / "folder").iterdir())
    assert [path.name for path in written] == ["mlinfn-alarms.yml", "mlinfn-now.json", "mlinfn-questions.json"]
    assert out.stdout.split() == [str(path) for path in written]
    assert [path.read_text() for path in written] == [file.read_text() for file in dashboards.shipped()]
