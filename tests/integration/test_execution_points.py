"""What commanding nodes promises, for the twin and for the real thing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from apart import apart
from driver import wait_until

from mlinfn_condor.errors import NodeBusy, NodeNotFound
from mlinfn_condor.pool.execution_points import ExecutionPoints, RealExecutionPoints, TwinExecutionPoints

REPORT_SECONDS = 60
IDLE, BUSY = "server2", "server1"
BARE_JOB = {"request_cpus": 1, "request_memory": "128MB", "requirements": f'regexp("@{BUSY}@", TARGET.Name)'}


@dataclass(frozen=True)
class Nodes:
    """An idle and a busy node, and how to see that one drains."""

    gate: ExecutionPoints
    drains: Callable[[str], bool]


@pytest.fixture(params=["twin", "real"])
def nodes(request: pytest.FixtureRequest) -> Iterator[Nodes]:
    if request.param == "twin":
        twin = TwinExecutionPoints({IDLE: False, BUSY: True}, since=1000.0)
        yield Nodes(twin, lambda node: node in twin.draining)
        return
    driver = request.getfixturevalue("driver")
    environment = driver.pool.environment("admin")

    def drains(node: str) -> bool:
        slots = driver.query("condor_status", "-constraint", f'split(Name, "@")[1] == "{node}"')
        return any(slot.get("Draining") is True for slot in slots)

    driver.submit(**BARE_JOB)[0].wait_for("computing")
    with apart(RealExecutionPoints, environment) as gate:
        yield Nodes(gate, drains)
        gate.keep_on(IDLE)  # the pool is for other files too, whatever became of the test


def test_an_idle_node_drains_until_it_is_kept_on(nodes):
    nodes.gate.drain(IDLE, "nobody needs it")
    wait_until(lambda: nodes.drains(IDLE), REPORT_SECONDS, "it drains")
    nodes.gate.drain(IDLE, "nobody needs it still")
    nodes.gate.keep_on(IDLE)
    wait_until(lambda: not nodes.drains(IDLE), REPORT_SECONDS, "it stays")
    nodes.gate.keep_on(IDLE)


def test_a_busy_node_refuses_to_drain(nodes):
    with pytest.raises(NodeBusy, match=BUSY):
        nodes.gate.drain(BUSY, "nobody needs it")
    assert not nodes.drains(BUSY)


def test_nodes_that_the_pool_does_not_have_are_not_found(nodes):
    for command in (lambda: nodes.gate.drain("nowhere", "no reason"), lambda: nodes.gate.keep_on("nowhere")):
        with pytest.raises(NodeNotFound, match="nowhere"):
            command()


def test_the_collector_tells_since_when_it_knows_anything(nodes):
    since = nodes.gate.collector_since()
    assert since > 0
    assert nodes.gate.collector_since() == pytest.approx(since, abs=2)


def test_the_negotiator_can_be_told_to_read_its_configuration(nodes):
    nodes.gate.reconfigure_negotiator()
