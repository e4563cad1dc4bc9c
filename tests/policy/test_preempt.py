"""A payload goes when a session took its device, and only then."""

import pytest
from slot_ads import slot


@pytest.mark.parametrize("conflict", ["GPU-1", "Cpus,Memory,GPU-1", "FPGA-1, Cpus", "GPU-1,GPU-2"])
def test_a_taken_device_displaces(batch, conflict):
    assert batch.evaluate(batch.knob("PREEMPT"), slot("opportunistic", ResourceConflict=conflict)) is True


@pytest.mark.parametrize("conflict", ["Cpus", "Cpus,Memory", "Cpus, Memory, Disk, Swap", ""])
def test_cpus_and_memory_displace_nobody(batch, conflict):
    assert batch.evaluate(batch.knob("PREEMPT"), slot("opportunistic", ResourceConflict=conflict)) is False


def test_without_a_conflict_nobody_goes(batch):
    assert batch.evaluate(batch.knob("PREEMPT"), slot("opportunistic")) is False


def test_who_goes_goes_at_once_softly_and_within_the_cap(batch):
    values = {knob: batch.evaluate(batch.knob(knob)) for knob in ("WANT_VACATE", "WANT_SUSPEND", "SUSPEND", "KILL")}
    assert values == {"WANT_VACATE": True, "WANT_SUSPEND": False, "SUSPEND": False, "KILL": False}
    assert batch.evaluate(batch.knob("MAXJOBRETIREMENTTIME")) == 0
    assert batch.evaluate(batch.knob("MachineMaxVacateTime")) == 120
    assert batch.evaluate(batch.knob("POLLING_INTERVAL")) == 1
