"""Who may have one more session, case by case."""

import pytest
from pydantic import ValidationError

from mlinfn_condor.hub.page.choice import Choice
from mlinfn_condor.hub.page.limits import Held, Limits, Person, Project, allowance, hours, refusal

CPU = Choice.from_options({})
GPU = Choice.from_options({"model": "A100"})
TWO = Choice.from_options({"model": "A100", "count": 2})
ALICE = Held("alice", "alpha", "", 1)
NOTES = Held("alice", "beta", "notes", 0)
BOB = Held("bob", "alpha", "", 2)


def project(**bounds):
    return Limits(projects={"alpha": Project(**bounds)})


@pytest.mark.parametrize(
    ("choice", "held", "limits"),
    [
        (CPU, (), Limits()),
        (GPU, (ALICE, NOTES), Limits()),
        (GPU, (BOB,), Limits()),
        (TWO, (), Limits()),
        (CPU, (ALICE, ALICE), Limits()),
        (CPU, (ALICE,), Limits(devices_per_person=1)),
        (CPU, (ALICE,) * 3, Limits(people={"alice": Person(sessions=4)})),
        (TWO, (ALICE,), Limits(people={"alice": Person(devices=3)})),
        (GPU, (ALICE,), Limits(devices_per_person=None)),
        (CPU, (NOTES,), project(sessions_per_person=1)),
        (GPU, (ALICE, BOB), project(devices=4)),
        (CPU, (BOB,), Limits(projects={"beta": Project(sessions=0)})),
    ],
)
def test_within_the_limits_nobody_is_refused(choice, held, limits):
    assert refusal(choice, "alice", "alpha", held, limits) is None


@pytest.mark.parametrize(
    ("choice", "held", "limits", "sentence"),
    [
        (
            CPU,
            (ALICE, NOTES, BOB),
            Limits(sessions_per_person=2),
            "The most that you may have at once is 2 sessions, and 2 are in use. "
            'Stop one of yours first: your default session or "notes".',
        ),
        (
            TWO,
            (ALICE, NOTES),
            Limits(),
            "The most that you may have at once is 2 devices, and 1 is in use. "
            "Stop one of yours first: your default session.",
        ),
        (
            GPU,
            (),
            Limits(people={"alice": Person(devices=0)}),
            "The most that you may have at once is 0 devices, and 0 are in use. Ask for fewer devices, or for none.",
        ),
        (
            CPU,
            (ALICE,),
            Limits(people={"alice": Person(sessions=1)}),
            "The most that you may have at once is 1 session, and 1 is in use. "
            "Stop one of yours first: your default session.",
        ),
        (
            CPU,
            (ALICE, NOTES),
            project(sessions_per_person=1),
            "The most that you may have on project alpha at once is 1 session, and 1 is in use. "
            "Stop one of yours first: your default session.",
        ),
        (
            CPU,
            (BOB,),
            project(sessions=1),
            "The most that all members of project alpha may have at once is 1 session, and 1 is in use. "
            "Wait until another member ends one, or choose another project.",
        ),
        (
            GPU,
            (BOB,),
            project(devices=2),
            "The most that all members of project alpha may have at once is 2 devices, and 2 are in use. "
            "Ask for fewer devices, or for none.",
        ),
        (
            Choice.from_options({"cpus": 33, "memory_mb": 300_000}),
            (),
            Limits(),
            "A session has at most 32 cores (you ask for 33) and 256000 MB of memory (you ask for 300000): "
            "ask for less, and run what is larger as dask or batch.",
        ),
    ],
)
def test_a_refusal_says_what_to_do(choice, held, limits, sentence):
    assert refusal(choice, "alice", "alpha", held, limits) == sentence


def test_a_person_s_own_number_does_not_lift_the_project_s():
    limits = Limits(people={"alice": Person(sessions=9, devices=9)}, projects={"alpha": Project(sessions_per_person=1)})
    assert "on project alpha" in refusal(CPU, "alice", "alpha", (ALICE,), limits)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), None),
        (Limits(session_hours=24), 24),
        (Limits(session_hours=24, people={"alice": Person(session_hours=48)}), 48),
        (Limits(session_hours=24, projects={"alpha": Project(session_hours=8)}), 8),
        (Limits(projects={"alpha": Project(session_hours=8)}, people={"alice": Person(session_hours=2)}), 2),
        (Limits(projects={"beta": Project(session_hours=8)}), None),
    ],
)
def test_a_session_ends_after_the_strictest_hours(limits, expected):
    assert hours("alice", "alpha", limits) == expected


def test_a_person_reads_how_much_of_it_he_has():
    assert allowance("alice", (ALICE, NOTES, BOB), Limits()) == "You have 2 of 3 sessions and 1 of 2 devices."
    assert allowance("carol", (ALICE,), Limits(devices_per_person=None)) == "You have 0 of 3 sessions."


@pytest.mark.parametrize("wrong", [{"sessions_per_person": -1}, {"session_hours": 0}, {"session": 1}])
def test_a_site_s_mistake_is_found_at_once(wrong):
    with pytest.raises(ValidationError):
        Limits(**wrong)
