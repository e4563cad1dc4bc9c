"""The provisioner's loop over twins: what it does, and what it leaves alone when something is away."""

import json
import threading

import pytest

from mlinfn_condor.errors import PoolUnavailable
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.pool.execution_points import TwinExecutionPoints
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.provisioning.backends import BackendUnavailable, NodeRefused
from mlinfn_condor.provisioning.backends.twin import TwinBackend
from mlinfn_condor.provisioning.backoff import setback
from mlinfn_condor.provisioning.growth import Growth
from mlinfn_condor.provisioning.journal import Journal
from mlinfn_condor.provisioning.leading import FileLeader
from mlinfn_condor.provisioning.nodes import Phase, Trouble
from mlinfn_condor.provisioning.reconcile import Provisioner, run
from mlinfn_condor.provisioning.rooms import Portions
from mlinfn_condor.provisioning.settings import Settings

T4 = {"device_kind": DeviceKind.GPU, "model": "T4", "devices": 2, "cpus": 8, "memory_mb": 32768, "most": 3}
JOB = """
executable = /bin/true
request_cpus = 1
request_memory = 1GB
request_gpus = 1
require_gpus = DeviceModel == "T4"
+PriorityClass = "batch"
+Project = "alpha"
queue {count}
"""


class Site:
    """A provisioner, and everything around it in memory."""

    def __init__(self, folder):
        self.pool, self.nodes, self.backend = TwinPool(), TwinExecutionPoints({}), TwinBackend()
        self.file, self.growing = folder / "log" / "journal", folder / "growing.conf"
        self.said = []
        self.provisioner = self.another()

    def another(self):
        return Provisioner(
            self.pool,
            self.nodes,
            self.backend,
            Settings.model_validate({"kinds": {"t4": T4}}),
            Portions(bare_percent=10, reserve_mb=256),
            Journal(self.file),
            Growth(self.growing, self.nodes),
            say=self.said.append,
        )

    def queue(self, count):
        self.pool.submit(JOB.format(count=count), "batch@")

    @property
    def names(self):
        return sorted(one.name for one in self.backend.glideins())

    @property
    def happened(self):
        return [(line["kind"], line["subject"]) for line in map(json.loads, self.file.read_text().splitlines())]


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_idle_jobs_get_as_many_nodes_as_they_fill_and_no_more_in_the_next_turns(site):
    site.queue(3)
    for _ in range(3):
        site.provisioner.turn()
    assert site.names == ["t4-1", "t4-2"]
    assert site.happened == [("asked", "t4-1"), ("asked", "t4-2")]


@pytest.mark.parametrize(("elsewhere", "working"), [(None, {"far"}), ("cm.tier.example:9618", set())])
def test_nobody_waits_for_our_collector_to_hear_of_another_pools_node(site, elsewhere, working):
    site.queue(1)
    (job,) = site.pool.jobs()
    site.pool.start(job.id, "slot1_1@far@host", elsewhere=elsewhere)
    assert site.provisioner.look().working == working


def test_two_provisioners_that_act_by_mistake_make_each_node_once(site):
    site.queue(3)
    one, other = site.provisioner, site.another()
    looks = [one.look(), other.look()]
    for provisioner, seen in zip((one, other), looks, strict=True):
        for action in provisioner.decide(seen).actions:
            provisioner._do(action)
    assert site.names == ["t4-1", "t4-2"]


def test_one_that_was_killed_goes_on_where_it_was(site):
    site.queue(3)
    site.provisioner.turn()
    site.another().turn()
    assert site.names == ["t4-1", "t4-2"]


def test_what_ended_is_cleared_away_and_another_comes_in_its_place_when_it_is_needed(site):
    site.queue(2)
    site.provisioner.turn()
    site.backend.end("t4-1")
    site.provisioner.turn()
    assert site.backend.removed == ["t4-1"]
    assert site.names == ["t4-2"]


def test_nodes_that_one_turn_asked_for_and_that_are_refused_together_are_one_round_of_back_off(site):
    site.queue(6)
    site.backend.refuses["t4"] = NodeRefused("the namespace has no more GPUs", Trouble.QUOTA)
    site.provisioner.turn()
    failures = site.provisioner.memory.failures
    assert (len(failures), setback(failures, forgiven=0).rounds) == (3, 1)


def test_a_kind_that_is_refused_is_left_alone_for_a_while_and_said(site):
    site.queue(2)
    site.backend.refuses["t4"] = NodeRefused("the namespace has no more GPUs", Trouble.QUOTA)
    site.provisioner.turn()
    decided = site.provisioner.turn()
    assert decided.actions == ()
    assert "the namespace has no more GPUs" in decided.blocked[0].reason
    assert site.happened == [("refused", "t4-1")]


def test_a_back_end_that_is_away_changes_nothing_and_is_no_reason_to_ask_again(site):
    site.queue(2)
    site.provisioner.turn()
    site.backend.away = True
    with pytest.raises(BackendUnavailable):
        site.provisioner.turn()
    site.backend.away = False
    site.provisioner.turn()
    assert site.names == ["t4-1"]


def test_the_negotiator_is_told_once_of_what_can_be_added(site):
    for _ in range(3):
        site.provisioner.turn()
    assert "MLINFN_GROWING_MODELS = T4\n" in site.growing.read_text()
    assert "MLINFN_NODES_TO_COME = gpu:" in site.growing.read_text()
    assert site.nodes.negotiator_reconfigured == 1
    site.queue(50)
    site.provisioner.turn()
    assert len(site.names) == 3
    site.provisioner.turn()
    assert site.nodes.negotiator_reconfigured == 2
    assert "MLINFN_GROWING_MODELS = \n" in site.growing.read_text()
    assert site.growing.read_text().endswith("MLINFN_NODES_TO_COME = \n")


def test_a_node_that_joins_and_one_that_is_gone_are_noted(site):
    site.provisioner.turn()
    site.queue(2)
    site.pool.add_slot({"Name": "slot1@other@host", "PartitionableSlot": True, "MlinfnOffer": "work", "Cpus": 1})
    site.provisioner.turn()
    site.backend.begin("t4-1")
    site.pool.add_slot({"Name": "slot1@t4-1@host", "PartitionableSlot": True, "MlinfnOffer": "work", "Cpus": 1})
    site.provisioner.turn()
    site.backend.remove(["t4-1"])
    site.provisioner.turn()
    assert site.happened[:3] == [("asked", "t4-1"), ("joined", "t4-1"), ("gone", "t4-1")]


def test_only_one_of_two_leads_and_the_other_takes_over(tmp_path):
    first, second = FileLeader(tmp_path / "lock"), FileLeader(tmp_path / "lock")
    assert first.leads()
    assert not second.leads()
    assert first.leads()
    first.resign()
    assert second.leads()


def test_what_is_away_is_said_once_and_its_return_too(site):
    stop, turns = threading.Event(), []

    def turn():
        turns.append(len(turns))
        if len(turns) == 5:
            stop.set()
        if len(turns) in (2, 3):
            raise PoolUnavailable("the collector did not answer")

    site.provisioner.turn = turn
    site.provisioner.settings = Settings.model_validate({"kinds": {"t4": T4}, "intervals": {"loop_seconds": 1}})
    stop.wait = lambda _seconds: stop.is_set()
    run(site.provisioner, FileLeader(site.file.parent / "lock"), stop)
    assert site.said == [
        "provisioner: cannot look, trying again: the collector did not answer",
        "provisioner: can look again",
    ]


def test_a_glidein_in_every_phase_has_a_place_in_the_plan(site):
    site.queue(2)
    site.provisioner.turn()
    for phase in Phase:
        site.backend._change("t4-1", phase=phase)
        site.another().decide(site.provisioner.look())
