"""What a glidein sets on top of the policy, read by HTCondor's own parser."""

import itertools
import re

import pytest
from policy import FOLDER, GLIDEIN_FOLDER, Policy
from slot_ads import slot, wants

FILES = sorted(GLIDEIN_FOLDER.iterdir())
NUMBERS = GLIDEIN_FOLDER / "00-state-the-numbers-of-glideins.conf"
ROOT = FOLDER.parent
CHAPTERS = {file.name[0] for file in FOLDER.iterdir()}


@pytest.fixture(scope="module")
def glidein(tmp_path_factory, installed):
    policy = Policy(tmp_path_factory.mktemp("glidein"), installed.bin, glidein=True)
    yield policy
    policy.close()


@pytest.fixture
def of_a_site(tmp_path, installed):
    made = []

    def make(site: str) -> Policy:
        made.append(Policy(tmp_path / str(len(made)), installed.bin, site=site, glidein=True))
        return made[-1]

    yield make
    for policy in made:
        policy.close()


def banner(file) -> dict[str, str]:
    head = itertools.takewhile(lambda line: line.startswith("#"), file.read_text().splitlines())
    return dict(re.findall(r"^# (\w+): +(.+)$", "\n".join(head), re.MULTILINE))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_file_is_named_numbered_and_introduced_as_those_of_the_policy(file):
    assert re.fullmatch(r"\d\d-[a-z]+(-[a-z]+)+\.conf", file.name)
    assert file.name[0] in CHAPTERS
    needed = {"What", "Why", "Who", "Site", "Test"} - ({"Why"} if file == NUMBERS else set())
    assert needed <= set(banner(file))
    tests = re.findall(r"tests/[\w/]+\.py", banner(file)["Test"])
    assert tests
    assert [name for name in tests if not (ROOT / name).is_file()] == []


def test_no_two_files_share_a_number():
    numbers = [file.name[:2] for file in FILES]
    assert len(numbers) == len(set(numbers))


def test_the_page_about_glideins_has_a_paragraph_for_each_file():
    told = re.findall(r"^\*\*`([\w.-]+)`\*\*", (ROOT / "docs/glidein.md").read_text(), re.MULTILINE)
    assert told == [file.name for file in FILES]


def test_every_number_is_used_and_no_number_stands_elsewhere():
    others = "".join(file.read_text() for file in FILES if file != NUMBERS)
    for name in re.findall(r"^(MLINFN_\w+) =", NUMBERS.read_text(), re.MULTILINE):
        assert f"({name})" in others + NUMBERS.read_text() or name in {
            # The entrypoint's own.
            "MLINFN_GLIDEIN_JOIN_SECONDS",
            "MLINFN_GLIDEIN_RESERVE_MB",
        }
    assert re.findall(r"^\w+ *= *[1-9]\d*$", others, re.MULTILINE) == []


def test_everything_is_read_without_an_undefined_macro(glidein):
    ours = [name for name in glidein.names() if name.upper().startswith("MLINFN_")]
    assert [name for name in ours if "$(MLINFN" in glidein.raw(name)] == []


def test_it_is_a_startd_alone_with_one_token(glidein):
    assert glidein.words("DAEMON_LIST") == ["STARTD"]
    assert glidein.evaluate(glidein.knob("USE_SHARED_PORT")) is False
    assert glidein.evaluate(glidein.knob("SEC_USE_FAMILY_SESSION")) is False
    for level in ("AUTHENTICATION", "INTEGRITY", "ENCRYPTION"):
        assert glidein.knob(f"SEC_DEFAULT_{level}") == "REQUIRED"


def test_slots_say_which_glidein_they_are_of(of_a_site):
    glidein = of_a_site("MLINFN_GLIDEIN_NAME = t4-1\nMLINFN_GLIDEIN_SITE = here\nMLINFN_GLIDEIN_WARM = true\n")
    names = ["MlinfnGlidein", "MlinfnGlideinUid", "MlinfnGlideinKind", "MlinfnGlideinDevices", "MlinfnGlideinWarm"]
    assert {*names, "MlinfnSite", "MlinfnPod", "MlinfnKubernetesNode", "MlinfnOffer"} <= set(
        glidein.words("STARTD_ATTRS")
    )
    told = [
        glidein.evaluate(glidein.knob(name))
        for name in ("MlinfnGlidein", "MlinfnSite", "MlinfnPod", "MlinfnGlideinWarm")
    ]
    assert told == ["t4-1", "here", "", True]


def value(policy: Policy, name: str, *ads) -> object:
    return policy.evaluate(policy.knob(name), *ads)


def test_the_longest_window_and_the_goodbye_fit_into_the_grace(glidein):
    cap, goodbye, grace = (
        value(glidein, name)
        for name in ("MLINFN_VACATE_SECONDS_CAP", "MLINFN_GLIDEIN_GOODBYE_SECONDS", "MLINFN_GLIDEIN_GRACE_SECONDS")
    )
    assert grace == cap + goodbye
    assert value(glidein, "MachineMaxVacateTime") == cap


def test_a_longer_cap_lengthens_the_grace(of_a_site):
    assert value(of_a_site("MLINFN_VACATE_SECONDS_CAP = 300\n"), "MLINFN_GLIDEIN_GRACE_SECONDS") == 315


@pytest.mark.parametrize(("grace", "window"), [(60, 45), (10, 0), (1000, 120)])
def test_a_shorter_grace_shortens_the_windows(of_a_site, grace, window):
    assert value(of_a_site(f"MLINFN_GLIDEIN_GRACE_SECONDS = {grace}\n"), "MachineMaxVacateTime") == window


RUNNING = {"JobCurrentStartDate": 1000}
DRAINED = {"Draining": True, "LastDrainStartTime": 5000}


@pytest.mark.parametrize(
    ("ad", "seconds"),
    [
        ({}, 0),
        (DRAINED, 0),
        ({**DRAINED, "DrainReason": "maintenance"}, 0),
        ({**DRAINED, "DrainReason": "patient"}, 5000 + 86400 - 1000),
        ({**DRAINED, "DrainReason": "patient", "ResourceConflict": "GPU-1"}, 0),
        ({"DrainReason": "patient", "LastDrainStartTime": 5000}, 0),
    ],
)
def test_jobs_run_on_only_where_the_glidein_is_retired_patiently(glidein, ad, seconds):
    """HTCondor subtracts what the job has run already."""
    assert value(glidein, "MAXJOBRETIREMENTTIME", slot("opportunistic", **ad), RUNNING) == seconds


@pytest.mark.parametrize(("warm", "seconds"), [("true", 0), ("false", 300)])
def test_only_a_warm_one_stays_unclaimed(of_a_site, warm, seconds):
    assert value(of_a_site(f"MLINFN_GLIDEIN_WARM = {warm}\n"), "STARTD_NOCLAIM_SHUTDOWN") == seconds


def test_it_starts_no_interpreter_to_learn_its_devices(glidein):
    for kind in ("GPUs", "FPGAs"):
        assert glidein.words(f"MACHINE_RESOURCE_INVENTORY_{kind}")[0] == "/bin/cat"


def test_it_does_not_look_for_what_no_job_uses(glidein):
    assert not glidein.knob("JAVA")
    assert len(glidein.words("FILETRANSFER_PLUGINS")) == 1


IN_A_POOL_OF_OTHERS = """
MLINFN_GLIDEIN_POOL = tier
MLINFN_GLIDEIN_OUR_DOMAINS = site.example,lab.example
MLINFN_GLIDEIN_OUR_USERS = carol@tier.example
"""
BATCH_SLOT = slot("opportunistic", MlinfnOwnerProject="alpha")


@pytest.fixture(scope="module")
def guest(tmp_path_factory, installed):
    """A glidein in a pool that somebody else runs."""
    policy = Policy(tmp_path_factory.mktemp("guest"), installed.bin, site=IN_A_POOL_OF_OTHERS, glidein=True)
    yield policy
    policy.close()


def of(user: str | None, priority_class: str | None = "batch", **attributes):
    return wants(priority_class, RequestGPUs=1, **({"User": user} if user else {}), **attributes)


@pytest.mark.parametrize(
    ("where", "who"),
    [
        ("opportunistic", of("alice@site.example")),
        ("opportunistic", of("alice@lab.example", "dask")),
        ("session", of("alice@site.example", "interactive")),
        ("opportunistic", of("carol@tier.example")),
        ("opportunistic", of("carol@tier.example", None)),
        ("opportunistic", of("carol@tier.example", "interactive")),
    ],
)
def test_in_a_pool_of_others_it_starts_our_jobs(guest, where, who):
    assert value(guest, "START", slot(where), who) is True


@pytest.mark.parametrize(
    ("where", "who"),
    [
        ("opportunistic", of("bob@tier.example")),
        ("opportunistic", of("bob@tier.example", AuthTokenSubject="carol@tier.example", Owner="carol")),
        ("opportunistic", of("carol@site.example.evil.example")),
        ("opportunistic", of("site.example")),
        ("opportunistic", of("")),
        ("opportunistic", of(None)),
        ("session", of("carol@tier.example", "interactive")),
        ("session", of("carol@tier.example")),
        ("session", of("bob@tier.example", "interactive")),
        ("opportunistic", of("alice@site.example", "interactive")),
    ],
)
def test_and_nobody_elses_and_no_class_that_nobody_vouches_for(guest, where, who):
    assert value(guest, "START", slot(where), who) is not True


def test_there_only_our_access_points_name_owner_and_class(guest):
    ours, theirs = (of(user, "dask", Project="alpha") for user in ("alice@site.example", "carol@tier.example"))
    assert value(guest, "RANK", BATCH_SLOT, ours) == 300
    assert value(guest, "RANK", BATCH_SLOT, theirs) == 0
    assert value(guest, "RANK", slot("opportunistic"), theirs) == 0, "nor is he the owner where there is none"


def test_there_no_job_runs_as_the_account_that_it_names(glidein, guest):
    assert value(guest, "STARTER_ALLOW_RUNAS_OWNER") is False
    assert value(glidein, "STARTER_ALLOW_RUNAS_OWNER") is True


@pytest.mark.parametrize(
    ("who", "nice"),
    [
        (of("carol@tier.example", "interactive"), 10),
        (of("carol@tier.example", None), 10),
        (of("alice@site.example", "interactive"), 0),
        (of("alice@site.example", "dask"), 5),
    ],
)
def test_there_niceness_follows_the_class_that_is_believed(guest, who, nice):
    assert guest.evaluate(guest.knob("JOB_RENICE_INCREMENT"), who) == nice


def test_a_site_may_take_another_pools_word_for_more(of_a_site):
    more = of_a_site(IN_A_POOL_OF_OTHERS + 'MLINFN_GLIDEIN_ALSO_OURS = (TARGET.VoGroup == "ours")\n')
    assert value(more, "START", BATCH_SLOT, of("dora@tier.example", VoGroup="ours")) is True
    assert value(more, "START", BATCH_SLOT, of("bob@tier.example")) is not True


def test_a_clause_of_the_site_only_narrows(of_a_site):
    narrow = of_a_site(IN_A_POOL_OF_OTHERS + "MLINFN_START_SITE = true\n")
    assert value(narrow, "START", BATCH_SLOT, of("bob@tier.example")) is not True
    shut = of_a_site(IN_A_POOL_OF_OTHERS + "MLINFN_START_SITE = false\n")
    assert value(shut, "START", BATCH_SLOT, of("carol@tier.example")) is False


def test_at_home_it_starts_what_any_node_starts(glidein):
    assert value(glidein, "START", BATCH_SLOT, of("bob@tier.example")) is True
    assert value(glidein, "START", BATCH_SLOT, of(None)) is True
    assert value(glidein, "RANK", BATCH_SLOT, of(None, "dask", Project="alpha")) == 300
