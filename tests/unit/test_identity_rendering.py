"""The register as pods see it, and what it clashes with."""

from datetime import UTC, datetime

import pytest

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.identity import checking, files, rendering, systems
from mlinfn_condor.identity.deciding import declare
from mlinfn_condor.identity.people import People, Site, Wish, changed

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
SITE = Site(20000, 20099, keep_days=30)


def home(name):
    return f"/home/{name}"


def after(people, source, *wishes):
    return changed(people, declare(people, source, wishes, NOON))


@pytest.fixture
def people():
    both = after(People(site=SITE), "hub", Wish("dora", ("alpha",), "iam#1"), Wish("emil", ("beta", "alpha"), "iam#2"))
    return after(both, "hub", Wish("emil", ("beta", "alpha"), "iam#2"))


def test_pods_know_people_by_name_and_number_and_leavers_without_a_shell(people):
    assert rendering.passwd(people, home) == (
        "dora:x:20000:20000::/home/dora:/usr/sbin/nologin\n"  # she left: her files still have an owner
        "emil:x:20001:20001::/home/emil:/bin/bash\n"
    )


def test_everybody_has_a_group_of_his_own_and_projects_have_those_who_are_here(people):
    assert rendering.group(people) == "dora:x:20000:\nemil:x:20001:\nalpha:x:20002:emil\nbeta:x:20003:emil\n"


def test_the_same_people_are_the_same_text_however_they_came(people):
    other = after(People(site=SITE), "hub", Wish("emil", ("alpha", "beta"), "iam#2"), Wish("dora", ("alpha",), "iam#1"))
    other = after(other, "hub", Wish("emil", ("alpha", "beta"), "iam#2"))
    assert rendering.passwd(other, home) == rendering.passwd(people, home)


def test_files_are_written_when_they_change_and_only_then(people, tmp_path):
    texts = rendering.files(people, home)
    assert rendering.write(tmp_path / "people", texts) == ["passwd", "group"]
    assert rendering.write(tmp_path / "people", texts) == []
    assert rendering.write(tmp_path / "people", texts | {"group": ""}) == ["group"]
    there = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "people").iterdir()}
    assert there == {"group": 0o644, "passwd": 0o644}, "and nothing unfinished"


def test_what_is_mounted_already_is_no_clash_and_everything_else_is(people):
    ours = systems.System({"dora": 20000, "emil": 20001}, {"dora": 20000, "emil": 20001, "alpha": 20002, "beta": 20003})
    assert checking.findings(people, ours) == []
    other = systems.System({"emil": 1001, "ubuntu": 20000}, {"beta": 44, "video": 20002})
    told = checking.findings(people, other)
    assert len(told) == 4
    assert "emil (20001): there is an account emil (1001) there" in told
    assert "dora (20000): that number is account ubuntu's there" in told
    assert "beta (20003): there is a group beta (44) there" in told
    assert "alpha (20002): that number is group video's there" in told


def test_a_range_that_runs_out_and_a_project_without_a_group_are_told():
    nearly = after(People(site=Site(20000, 20009, 1)), "hub", *(Wish(f"p{n}", ("sudo",)) for n in range(10)))
    told = checking.findings(nearly)
    assert any("0 numbers are left" in one for one in told)
    assert any("project sudo: it has no group" in one for one in told)
    assert "named no range" in checking.findings(People())[0]


def test_an_image_is_read_from_its_two_files(tmp_path):
    (tmp_path / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n\n# a comment\njovyan:x:1000:100::/home/jovyan:\n")
    (tmp_path / "group").write_text("users:x:100:\n")
    found = systems.of_files(tmp_path / "passwd", tmp_path / "group")
    assert (found.users, found.groups) == ({"root": 0, "jovyan": 1000}, {"users": 100})
    (tmp_path / "group").write_text("users\n")
    with pytest.raises(BadRequest, match="group: each line"):
        systems.of_files(tmp_path / "passwd", tmp_path / "group")


def test_a_file_names_people_and_every_mistake_in_it_is_told_at_once(tmp_path):
    (tmp_path / "people.toml").write_text('[people.dora]\nprojects = ["alpha"]\nuid = 20017\nwas = "dorothea"\n')
    assert files.read(tmp_path / "people.toml") == [Wish("dora", ("alpha",), None, 20017, "dorothea")]
    (tmp_path / "people.toml").write_text('[people.dora]\nproject = "alpha"\n[people.emil]\nprojects = []\n')
    with pytest.raises(BadRequest) as caught:
        files.read(tmp_path / "people.toml")
    assert "people.dora.project" in str(caught.value)
    assert "people.emil.projects" in str(caught.value)
