"""What a provisioner tells a hub of nodes to come, and what the hub's page makes of it."""

import json
from dataclasses import replace

import pytest
from small_pool import NODE as POOL
from small_pool import asks_a100, job, snapshot
from small_site import NOW, PORTIONS, SESSION, T4, glidein, look, node, settings, work

from mlinfn_condor.hub import starting
from mlinfn_condor.hub.page.inventory import Inventory, remember
from mlinfn_condor.hub.page.offers import offers
from mlinfn_condor.hub.page.outlook import Start, ask_for, outlook
from mlinfn_condor.pool import DeviceKind, Slot
from mlinfn_condor.provisioning.nodes import Phase
from mlinfn_condor.provisioning.plan import plan
from mlinfn_condor.provisioning.prospects import GOOD_SECONDS, Prospects, ProspectsFile
from mlinfn_condor.submission.requests import Devices

SITE = settings(t4=T4)
ONE_T4 = ask_for(Devices(count=1, model="T4"), 1, 1024)


@pytest.fixture
def told(tmp_path):
    def tell(works=(), given=SITE, **fields):
        seen = look(works, **fields)
        ProspectsFile(tmp_path / "told", simulated=True).tell(plan(seen, given, PORTIONS), seen)
        return Prospects.read(tmp_path / "told", NOW + 1)

    return tell


def with_prospects(prospects, slots=POOL):
    return replace(snapshot([], slots), promised=prospects.slots)


def test_a_model_that_can_be_added_is_offered_and_counts_no_device(told):
    offer = offers(with_prospects(told()), Inventory()).find(DeviceKind.GPU, "T4")
    assert offer is not None
    assert (offer.total, offer.most_together, offer.label) == (0, 2, "T4 (simulated)")


def test_a_session_waits_for_a_node_that_can_be_added_and_is_not_refused(told):
    assert outlook(with_prospects(Prospects()), Inventory(), ONE_T4).start is Start.CANNOT
    found = outlook(with_prospects(told()), Inventory(), ONE_T4)
    assert (found.start, found.node_comes) == (Start.WAITS, True)
    assert (
        found.sentence == "Waits for a node: none with T4 that could serve it is there, and one that has it is added."
    )


def test_more_than_any_node_to_come_would_have_is_refused(told):
    ask = ask_for(Devices(count=3, model="T4"), 1, 1024)
    assert outlook(with_prospects(told()), Inventory(), ask).start is Start.CANNOT


def test_nothing_is_promised_beyond_what_the_site_allows(told):
    full = settings(t4=T4 | {"most": 1})
    here = {"nodes": [node("t4-1", full)], "glideins": [glidein("t4-1", Phase.RUNNING)]}
    assert told((), full, **here).slots == ()


def test_a_waiting_session_hears_what_its_node_does(told):
    session = work(priority_class=SESSION)
    nodes = told([session]).of(session.job())
    assert nodes is not None
    assert (nodes.sentence, nodes.come) == ("T4-1 is asked for now.", True)
    step = starting.waiting(snapshot([session.job()], POOL), session.job(), nodes)
    assert step.message == "Waiting: for a node that is being added. T4-1 is asked for now."


def test_a_session_is_never_said_to_wait_in_vain_when_its_node_has_just_come(told):
    session = work(priority_class=SESSION)
    nodes = told([session], nodes=[node("t4-1", SITE)], glideins=[glidein("t4-1", Phase.RUNNING)]).of(session.job())
    assert nodes is not None
    assert starting.waiting(snapshot([session.job()], POOL), session.job(), nodes).message == (
        "Waiting: for a node that is being added."
    )


def test_others_are_not_told_what_becomes_of_it(told):
    session = work(priority_class=SESSION)
    assert told([session]).of(job(priority_class="interactive", **asks_a100())) is None


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", '{"at": "now"}', '{"at": 1}', json.dumps({"at": NOW, "slots": 3})]
)
def test_what_is_no_word_of_a_provisioner_is_none(tmp_path, text):
    if text is not None:
        (tmp_path / "told").write_text(text)
    assert Prospects.read(tmp_path / "told", NOW) == Prospects()


def test_old_words_are_not_believed(told, tmp_path):
    assert told().slots
    assert Prospects.read(tmp_path / "told", NOW + GOOD_SECONDS + 5) == Prospects()


def test_devices_of_a_glidein_that_has_left_are_not_missed():
    slots = [Slot.from_ad(slot.ad | {"MlinfnGlidein": "a100-1"}) for slot in POOL]
    assert remember(Inventory(), snapshot([], slots)).seen == ()
