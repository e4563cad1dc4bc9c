"""What a site's own look at its devices says: pure judgements of made-up looks."""

import pytest

from mlinfn_condor.metering.look import Look
from mlinfn_condor.metering.node_drivers import NodeDrivers, Unmetered
from mlinfn_condor.metering.selftest import MOST_DISAGREEMENT, Finding, examine, judge
from mlinfn_condor.node.devices import Device

CARD = Device("GPUs", "GPU-1", "T4", "Tesla T4", 15360, simulated=False)


def energy(*looks: Look):
    (finding,) = [finding for finding in judge(CARD, looks) if finding.what == "energy"]
    return finding.verdict, finding.told


def series(joules: list[float], watts: float | None):
    return [Look(10 * n, "ok", energy_joules=value, power_watts=watts) for n, value in enumerate(joules)]


@pytest.mark.parametrize(
    ("joules", "watts", "verdict", "told"),
    [
        ([0, 1000, 2000], 100, "right", "0.0% apart"),
        ([0, 1000, 2000], 100 * (1 + MOST_DISAGREEMENT) + 1, "wrong", "16.0% apart"),
        ([0, 1000, 2000], None, "right", "power is unknown"),
        ([0, 1000, 900], 100, "wrong", "the counter falls"),
        ([5, 5, 5], 100, "wrong", "stood still"),
        ([0, 1000, 90_000], 100, "wrong", "rises by 4500 W"),
    ],
)
def test_an_energy_counter_rises_and_agrees_with_power(joules, watts, verdict, told):
    found = energy(*series(joules, watts))
    assert found[0] == verdict
    assert told in found[1]


def test_without_a_counter_power_has_to_do():
    assert energy(Look(0, power_watts=70), Look(10, power_watts=70)) == ("right", "no counter; power is integrated")
    assert energy(Look(0), Look(10)) == ("unknown", "neither counter nor power")


def test_each_figure_that_is_missing_has_its_reason():
    found = {f.what: f for f in judge(CARD, [Look(0), Look(9, "ok", ("power: Not Supported",), processes=0)])}
    assert (found["power"].verdict, found["power"].told) == ("unknown", "power: Not Supported")
    assert (found["processes"].verdict, found["processes"].told) == ("right", "0")


@pytest.mark.parametrize(("health", "verdict"), [("ok", "right"), ("broken", "wrong"), ("unknown", "unknown")])
def test_a_broken_device_is_found(health, verdict):
    first = next(iter(judge(CARD, [Look(0, health), Look(5, health, ("why",))])))
    assert (first.what, first.verdict, first.told) == ("driver", verdict, "why")


def test_a_node_is_examined_with_the_drivers_that_the_monitor_takes():
    nothing = NodeDrivers([(Unmetered("no driver here"), (CARD.id,))])
    first, *_, last = examine([CARD], nothing, look_seconds=5, seconds=0, sleep=lambda _: None)
    assert first == Finding("GPU-1", "driver", "unknown", "no driver here")
    assert (last.subject, last.what, last.verdict) == ("monitor", "cost", "right")
