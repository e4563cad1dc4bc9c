"""What becomes of the register when a source says who is there: numbers for ever, names while data are there."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.identity.deciding import declare, release, set_site
from mlinfn_condor.identity.people import Changes, People, Site, Wish, changed

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
EMPTY = People(site=Site(20000, 20009, keep_days=30))
DORA = Wish("dora", ("alpha",), "iam#1")
EMIL = Wish("emil", ("beta", "alpha"), "iam#2")


def after(people, source, *wishes, now=NOON):
    return changed(people, declare(people, source, wishes, now))


def refused(people, source, *wishes):
    """The one sentence of a refusal; nothing else comes with it."""
    changes = declare(people, source, wishes, LATER)
    (sentence,) = changes.refusals
    assert not changes.persons
    return sentence


def by_name(people):
    return {person.name: person for person in people.known}


def test_people_and_projects_get_numbers_of_the_sites_range_each_its_own():
    people = after(EMPTY, "hub", EMIL, DORA)
    numbers = [person.uid for person in people.persons] + list(people.projects.values())
    assert sorted(numbers) == [20000, 20001, 20002, 20003]
    assert by_name(people)["emil"].projects == ("beta", "alpha")


def test_saying_the_same_again_changes_nothing():
    people = after(EMPTY, "hub", DORA, EMIL)
    assert not declare(people, "hub", [EMIL, DORA], LATER)


def test_the_order_in_which_people_are_told_makes_no_difference():
    assert after(EMPTY, "hub", DORA, EMIL) == after(EMPTY, "hub", EMIL, DORA)


def test_two_groups_of_a_provider_that_are_one_project_are_one_group():
    people = after(EMPTY, "hub", Wish("dora", ("alpha", "alpha")), Wish("emil", ("alpha",)))
    assert list(people.projects) == ["alpha"]
    assert by_name(people)["dora"].projects == ("alpha",)


def test_whose_groups_change_keeps_his_number_and_has_the_new_ones():
    before = after(EMPTY, "hub", DORA)
    people = after(before, "hub", Wish("dora", ("beta",), "iam#1"))
    assert by_name(people)["dora"].uid == by_name(before)["dora"].uid
    assert by_name(people)["dora"].projects == ("beta",)
    assert people.projects["alpha"] == before.projects["alpha"], "a project that nobody is in keeps its number"


def test_who_is_called_something_else_now_is_the_same_person():
    before = after(EMPTY, "hub", DORA)
    people = after(before, "hub", Wish("dorothea", ("alpha",), "iam#1"))
    (person,) = people.persons
    assert (person.uid, person.name) == (by_name(before)["dora"].uid, "dorothea")
    assert people.former == {person.uid: {"dora"}}


def test_nobody_gets_a_name_that_somebody_had_whose_data_are_here():
    people = after(after(EMPTY, "hub", DORA), "hub", Wish("dorothea", ("alpha",), "iam#1"))
    assert "dorothea" in refused(people, "file:guests", Wish("dora", ("alpha",)))


def test_who_renames_himself_to_a_name_he_had_may():
    people = after(after(EMPTY, "hub", DORA), "hub", Wish("dorothea", ("alpha",), "iam#1"))
    assert by_name(after(people, "hub", DORA))["dora"].uid == people.persons[0].uid


def test_a_file_tells_of_a_new_name_and_may_go_on_telling_it():
    before = after(EMPTY, "file:x", Wish("dora", ("alpha",)))
    renamed = Wish("dorothea", ("alpha",), was="dora")
    people = after(before, "file:x", renamed)
    assert by_name(people)["dorothea"].uid == by_name(before)["dora"].uid
    assert not declare(people, "file:x", [renamed], LATER)


def test_nobody_takes_anothers_name_over():
    people = after(EMPTY, "hub", DORA, EMIL)
    changes = declare(people, "hub", [DORA, Wish("dora", ("beta",), "iam#2")], LATER)
    assert "somebody else of that name" in changes.refusals[0]
    assert not changes, "emil is not called dora, and has not left either"


def test_a_name_that_changed_hands_is_refused_while_the_others_data_are_there():
    people = after(after(EMPTY, "hub", DORA), "hub")
    assert "left, and his data are still here" in refused(people, "hub", Wish("dora", ("beta",), "iam#9"))


def test_a_leavers_number_is_never_given_again_not_even_after_his_data_are_gone():
    people = after(after(EMPTY, "hub", DORA), "hub")
    old = people.leavers[0].uid
    people = changed(people, release(people, "dora", NOON + timedelta(days=30)))
    people = after(people, "hub", Wish("dora", ("alpha",), "iam#9"), now=LATER)
    assert by_name(people)["dora"].uid != old
    assert old in people.numbers


def test_who_comes_back_has_his_number_again():
    left = after(after(EMPTY, "hub", DORA), "hub", now=LATER)
    assert [person.left for person in left.persons] == [LATER]
    back = after(left, "hub", DORA, now=LATER)
    assert [(person.uid, person.left) for person in back.persons] == [(left.persons[0].uid, None)]


def test_who_loses_one_source_and_has_another_has_not_left():
    people = after(after(EMPTY, "hub", DORA), "file:x", Wish("dora", ("beta",)))
    people = after(people, "hub", now=LATER)
    assert [(p.left, p.projects) for p in people.persons] == [(None, ("beta",))]


def test_a_leavers_data_stay_for_the_sites_period():
    people = after(after(EMPTY, "hub", DORA), "hub", now=NOON)
    (dora,) = people.leavers
    assert people.deletable(dora) == NOON + timedelta(days=30)
    with pytest.raises(BadRequest, match="the data of dora stay until 2026-12-31 12:00 UTC"):
        release(people, "dora", NOON + timedelta(days=29))


@pytest.mark.parametrize(("name", "sentence"), [("emil", "emil is here"), ("nobody-at-all", "nobody called")])
def test_only_a_leaver_is_released(name, sentence):
    with pytest.raises(BadRequest, match=sentence):
        release(after(EMPTY, "hub", EMIL), name, LATER)


@pytest.mark.parametrize(
    "name", ["root", "daemon", "backup", "sudo", "docker", "hub", "condor", "glidein", "Dora", "a:b", "x\ny", ""]
)
def test_nobody_gets_a_name_of_a_system_a_role_or_none_at_all(name):
    assert declare(EMPTY, "hub", [Wish(name, ("alpha",))], NOON).persons == ()


@pytest.mark.parametrize("project", ["sudo", "docker", "wheel", "root", "a:b", "x\ny:x:0:", "dora"])
def test_a_project_of_such_a_name_gets_no_group_and_its_people_are_here_all_the_same(project):
    changes = declare(EMPTY, "hub", [Wish("dora", ("alpha", project))], NOON)
    assert list(changes.projects) == ["alpha"]
    assert [person.name for person in changes.persons] == ["dora"]
    assert len(changes.refusals) == 1


def test_nobody_is_called_like_a_project():
    assert "a project has that name" in refused(after(EMPTY, "hub", DORA), "file:x", Wish("alpha", ("alpha",)))


def test_a_number_that_files_carry_already_is_taken_over_also_outside_of_the_range():
    people = after(EMPTY, "file:x", Wish("dora", ("alpha",), uid=4711), Wish("emil", (), uid=20000))
    assert {person.name: person.uid for person in people.persons} == {"dora": 4711, "emil": 20000}
    assert people.projects == {"alpha": 20001}


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (Wish("emil", (), uid=20000), "was given"),
        (Wish("emil", (), uid=0), "no number of a person"),
        (Wish("emil", (), uid=999), "no number of a person"),
        (Wish("emil", (), uid=2**31), "no number of a person"),
        (Wish("dora", (), uid=20005), "stays it"),
    ],
)
def test_a_number_that_cannot_be_is_refused_and_nobody_leaves_by_it(wish, sentence):
    people = after(EMPTY, "file:x", Wish("dora", ("alpha",)))
    changes = declare(people, "file:x", [Wish("dora", ("alpha",)), wish] if wish.name != "dora" else [wish], LATER)
    assert sentence in changes.refusals[0]
    assert not changes


def test_a_range_that_is_used_up_refuses_and_goes_on_when_it_is_wider():
    many = [Wish(f"p{n}") for n in range(12)]
    people = after(EMPTY, "hub", *many)
    assert len(people.persons) == 10
    assert "every number of the site's range is given" in declare(people, "hub", many, LATER).refusals[0]
    people = changed(people, set_site(people, Site(20000, 20019, 30)))
    assert len(after(people, "hub", *many).persons) == 12


def test_without_a_range_nobody_gets_a_number_and_it_says_how_to_name_one():
    with pytest.raises(BadRequest, match="mlinfn identity range"):
        declare(People(), "hub", [DORA], NOON)


@pytest.mark.parametrize(
    "site", [Site(0, 100, 1), Site(999, 2000, 1), Site(3000, 2000, 1), Site(2000, 2**31, 1), Site(2000, 3000, -1)]
)
def test_a_range_that_cannot_be_is_refused(site):
    with pytest.raises(BadRequest):
        set_site(People(), site)


NAMES = st.sampled_from(["ada", "bob", "cyn", "dan", "root", "alpha", "x y"])
WISHES = st.lists(
    st.builds(
        Wish,
        NAMES,
        st.lists(st.sampled_from(["alpha", "beta", "sudo", "ada"]), max_size=2).map(tuple),
        st.sampled_from([None, "iam#1", "iam#2", "iam#3"]),
        st.sampled_from([None, None, 20001, 5000, 12]),
        st.sampled_from([None, None, "ada", "bob"]),
    ),
    max_size=4,
    unique_by=lambda wish: wish.name,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["hub", "file:x"]), WISHES), max_size=6))
def test_whatever_is_said_no_number_is_lost_changed_or_given_twice(story):
    people = EMPTY
    for step, (source, wishes) in enumerate(story):
        now = NOON + timedelta(days=20 * step)
        before = people
        people = after(before, source, *wishes, now=now)
        for leaver in people.leavers[:1]:
            people = changed(people, freed(people, leaver.name, now))
        assert before.numbers <= people.numbers
        assert before.projects.items() <= people.projects.items()
        numbers = [person.uid for person in people.persons] + list(people.projects.values())
        assert len(numbers) == len(set(numbers))
        for names in (
            [p.name for p in people.known] + list(people.projects),
            [p.subject for p in people.known if p.subject],
        ):
            assert len(names) == len(set(names))


def freed(people, name, now):
    try:
        return release(people, name, now)
    except BadRequest:
        return Changes()
