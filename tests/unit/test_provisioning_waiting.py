"""What a job waits for, in one sentence."""

from small_site import NOW, PORTIONS, T4, glidein, look, node, settings, work

from mlinfn_condor.provisioning.nodes import Phase
from mlinfn_condor.provisioning.plan import plan
from mlinfn_condor.provisioning.waiting import why_waiting

SITE = settings(t4=T4)


def said(works, given=SITE, **fields):
    seen = look(works, **fields)
    return why_waiting(plan(seen, given, PORTIONS), works[0].job(), seen.glideins, NOW)


def test_a_node_that_starts_for_it():
    asked = [glidein("t4-1", Phase.ASKED, since=NOW - 40)]
    assert said([work()], glideins=asked) == "T4-1 is starting for it, asked for 40 s ago."


def test_nodes_that_are_asked_for_now():
    assert said([work() for _ in range(3)]) == "T4-1 and t4-2 are asked for now."


def test_nodes_that_cannot_be_added():
    few = settings(t4=T4 | {"most": 1})
    assert said([work() for _ in range(3)], few) == (
        "T4-1 is asked for now; no node can be added for 1 job of 3: t4: the site has at most 1 of it."
    )
    assert said([work(model="H100")]) == "No node can be added: no kind of node has 1 H100."


def test_a_node_that_is_kept_for_it():
    assert said([work()], nodes=[node("t4-1", SITE)], retiring=frozenset({"t4-1"})) == (
        "T4-1 was about to leave and is kept for it."
    )


def test_a_job_that_finds_room_waits_for_no_node():
    assert said([work()], nodes=[node("t4-1", SITE)]) is None


def test_a_collector_that_knows_too_little():
    assert said([work()], glideins=[glidein("t4-1")], collector_since=NOW - 20) == (
        "No node is asked for at the moment: the collector started 20 s ago and has not heard of t4-1 yet: "
        "waiting for at most 40 s."
    )
