"""What a person is told of a session that was matched, when more and more of it is known."""

from small_pool import FIRST, NODE, asks_a100, claimed, job, snapshot

from mlinfn_condor.hub import starting

WHERE = {"JobStatus": 2, "RemoteHost": "slot1_1@server2@host"}
BATCH = claimed("slot5_1@server2@host", "batch@1.0", "batch", FIRST)


def messages(pool, session):
    return [step.message for step in starting.matched(pool, session)]


def test_it_tells_the_device_and_who_has_to_leave_it():
    session = job(priority_class="interactive", **asks_a100(), **WHERE, AssignedGPUs=FIRST)
    where, handover, starts = messages(snapshot([session], (*NODE, BATCH)), session)
    assert where == "Matched: 1 A100 (simulated) of server2"
    assert handover.startswith("Hand-over from batch job batch@1.0 of")
    assert "at most 31 s" in handover
    assert starts == "JupyterLab is starting on server2"


def test_a_job_that_does_not_name_its_devices_yet_is_told_without_the_rest():
    session = job(priority_class="interactive", **asks_a100(), **WHERE)
    assert messages(snapshot([session], (*NODE, BATCH)), session) == ["Matched: server2"]


def test_while_the_slots_are_unknown_nothing_is_said_about_them():
    session = job(priority_class="interactive", **asks_a100(), **WHERE, AssignedGPUs=FIRST)
    assert messages(None, session) == ["Matched: server2"]


def test_a_session_without_a_device_has_no_hand_over():
    session = job(priority_class="interactive", **WHERE)
    assert messages(snapshot([session], NODE), session) == ["Matched: server2", "JupyterLab is starting on server2"]
