"""The monitor of a node's devices: one long-lived process beside each startd, which starts it (condor_config.d/72).

`python -m mlinfn_condor.metering.monitor --node NODE.json --look 5 --report 30 --back 60 --withdrawn FILE`

It looks often, so that peaks and the driver's short sample buffers are not missed, and reports seldom, because each
report makes the startd send its slots. It starts no process, and imports little: the node pays for it all day.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TextIO

from mlinfn_condor.metering import withdrawal
from mlinfn_condor.metering.advertised import Metered, report
from mlinfn_condor.metering.counters import Counters, after
from mlinfn_condor.metering.look import Look
from mlinfn_condor.metering.node_drivers import NodeDrivers, drivers
from mlinfn_condor.metering.withdrawal import Offer, Startd
from mlinfn_condor.node.description import Node


@dataclass(frozen=True)
class Intervals:
    """How often what happens, in seconds."""

    look: float
    report: float
    back: float
    """How long a broken device has to be sound before it is offered again."""


class Monitor:
    """The state between two looks."""

    def __init__(self, node: Node, devices: NodeDrivers, startd: Startd, intervals: Intervals) -> None:
        self._node, self._devices, self._startd, self._intervals = node, devices, startd, intervals
        self._metered: dict[str, Metered] = {}
        self._offer = Offer(startd.withdrawn(node.devices))
        self._untold: str | None = None
        """Why the startd could not be told of the withdrawn devices."""

    def look(self, at: float, epoch: float) -> None:
        """Look once at every device, and withdraw what is broken.

        `at`: seconds of a clock that is never set; `epoch`: seconds of the epoch.
        """
        looks = self._devices.look(at)
        for device in self._node.devices:
            look, before = looks[device.id], self._metered.get(device.id)
            if before is None:
                counters = Counters(int(epoch), look)
                self._metered[device.id] = Metered(device, counters, counters, look.memory_used_mb)
            else:
                self._metered[device.id] = replace(
                    before,
                    counters=after(before.counters, look),
                    peak_memory_mb=_higher(before.peak_memory_mb, look.memory_used_mb),
                )
        self._withdraw(looks)

    def _withdraw(self, looks: dict[str, Look]) -> None:
        offer = withdrawal.decide(self._offer, looks, self._intervals.back)
        if offer.withdrawn != self._offer.withdrawn or self._untold:
            self._untold = self._startd.tell(self._node.devices, offer.withdrawn)
        self._offer = offer

    def report(self, epoch: float) -> str:
        """What the startd is told, and a new beginning for what is told as a difference."""
        stuck = self._offer.withdrawn if self._untold else ()
        told = report(self._metered.values(), int(epoch), stuck)
        self._metered = {
            one: replace(metered, since_report=metered.counters, peak_memory_mb=metered.counters.last.memory_used_mb)
            for one, metered in self._metered.items()
        }
        return told


def _higher(first: int | None, second: int | None) -> int | None:
    known = [value for value in (first, second) if value is not None]
    return max(known) if known else None


def run(monitor: Monitor, intervals: Intervals, out: TextIO, alive: Callable[[], bool]) -> None:
    """Look and report until the startd is gone."""
    looks_per_report = max(1, round(intervals.report / intervals.look))
    for number in count():
        began = time.monotonic()
        monitor.look(began, time.time())
        if number % looks_per_report == 0:
            out.write(monitor.report(time.time()))
            out.flush()
        time.sleep(max(0.0, began + intervals.look - time.monotonic()))
        if not alive():
            return


def main(arguments: Sequence[str] | None = None) -> None:
    """Until the startd ends, by closing the pipe or by dying."""
    parser = argparse.ArgumentParser(prog="mlinfn_condor.metering.monitor")
    parser.add_argument("--node", type=Path, required=True)
    parser.add_argument("--look", type=float, required=True)
    parser.add_argument("--report", type=float, required=True)
    parser.add_argument("--back", type=float, required=True)
    parser.add_argument("--withdrawn", type=Path, required=True)
    told = parser.parse_args(arguments)
    startd = os.getppid()
    node = Node.read(told.node)
    intervals = Intervals(told.look, told.report, told.back)
    monitor = Monitor(node, drivers(node.devices, startd), Startd(startd, told.withdrawn), intervals)
    try:
        run(monitor, intervals, sys.stdout, lambda: os.getppid() == startd)
    except BrokenPipeError:
        os._exit(0)  # Not sys.exit: it would flush into the pipe once more, and complain.


if __name__ == "__main__":
    main()
