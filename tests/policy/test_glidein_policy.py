"""What a glidein sets on top of the policy, read by HTCondor's own parser."""

import itertools
import re

import pytest
from policy import FOLDER, GLIDEIN_FOLDER, Policy
from slot_ads import slot

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


def test_user_images_run_without_privilege_and_are_made_by_nobody_else(glidein):
    arguments = glidein.knob("SINGULARITY_EXTRA_ARGUMENTS")
    real, simulated = (
        {"AssignedGPUs": "GPU-1", "GPUs_Simulated": False},
        {"AssignedGPUs": "GPU-1", "GPUs_Simulated": True},
    )
    assert [glidein.evaluate(arguments, ad) for ad in ({}, simulated, real)] == [
        "--userns",
        "--userns",
        "--userns --nv",
    ]
    assert not glidein.knob("SINGULARITY_ALLOWED_JOB_ENV_VARS")
    assert not glidein.knob("DOCKER")


def test_it_starts_no_interpreter_to_learn_its_devices(glidein):
    for kind in ("GPUs", "FPGAs"):
        assert glidein.words(f"MACHINE_RESOURCE_INVENTORY_{kind}")[0] == "/bin/cat"


def test_it_does_not_look_for_what_no_job_uses(glidein):
    assert not glidein.knob("JAVA")
    assert len(glidein.words("FILETRANSFER_PLUGINS")) == 1
