"""What a glidein is told, and how mistakes in it are told back."""

import json

import pytest

from mlinfn_condor.glidein import orders
from mlinfn_condor.glidein.outcome import Exit, GlideinFailed, last_words, leave_words


@pytest.fixture
def told(tmp_path):
    return {
        "MLINFN_GLIDEIN_NAME": "t4-1",
        "MLINFN_GLIDEIN_KIND": "t4",
        "MLINFN_GLIDEIN_COLLECTOR": "cm.example:9618",
        "MLINFN_GLIDEIN_DOMAIN": "pool.example",
        "MLINFN_GLIDEIN_TOKENS": str(tmp_path),
        "MLINFN_GLIDEIN_WORK": "/work-of-it",
    }


def test_the_least_is_enough(told):
    read = orders.read(told)
    assert (read.name, read.devices, read.warm, dict(read.numbers)) == ("t4-1", None, False, {})
    assert read.uid != orders.read(told).uid


def test_an_empty_variable_is_none(told):
    assert orders.read(told | {"MLINFN_GLIDEIN_SITE": "", "MLINFN_GLIDEIN_DEVICES": " "}).devices is None


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("T4:2", {"T4": 2}),
        ("A100-1g.5gb:7, U50:1", {"A100-1g.5gb": 7, "U50": 1}),
        ("T4:1,T4:1", {"T4": 2}),
        ("none", {}),
    ],
)
def test_devices(told, text, devices):
    assert orders.read(told | {"MLINFN_GLIDEIN_DEVICES": text}).devices == devices


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("NAME", "T4 1"),
        ("NAME", 't4"'),
        ("KIND", "$(X)"),
        ("COLLECTOR", "cm.example:9618\nALLOW_READ = *"),
        ("SITE", "here\nSTART = true"),
        ("OWNER_PROJECT", 'alpha"'),
        ("UID", "a b"),
        ("DEVICES", "T4"),
        ("DEVICES", "T4:0"),
        ("WARM", "1"),
        ("IDLE_SECONDS", "-1"),
        ("GRACE_SECONDS", "1.5"),
        ("WORK", "relative"),
        ("WORK", "/with space"),
        ("TOKENS", "/nowhere"),
        ("SITE_CONFIG", "/nowhere"),
    ],
)
def test_a_mistake_is_named_and_never_reaches_the_configuration(told, name, text):
    with pytest.raises(GlideinFailed, match=f"MLINFN_GLIDEIN_{name}=") as refused:
        orders.read(told | {f"MLINFN_GLIDEIN_{name}": text})
    assert refused.value.code is Exit.STARTUP


@pytest.mark.parametrize("name", ["NAME", "KIND", "COLLECTOR", "DOMAIN", "TOKENS", "WORK"])
def test_what_is_missing_is_named(told, name):
    del told[f"MLINFN_GLIDEIN_{name}"]
    with pytest.raises(GlideinFailed, match=f"MLINFN_GLIDEIN_{name} is not set"):
        orders.read(told)


def test_a_misspelt_variable_is_not_overlooked(told):
    with pytest.raises(GlideinFailed, match="MLINFN_GLIDEIN_IDEL_SECONDS is not known"):
        orders.read(told | {"MLINFN_GLIDEIN_IDEL_SECONDS": "60"})


IN_A_POOL_OF_OTHERS = {"MLINFN_GLIDEIN_POOL": "tier1", "MLINFN_GLIDEIN_OUR_DOMAINS": "site.example,lab.example"}


def test_in_a_pool_of_others_it_is_told_whose_jobs_are_ours(told):
    users = {"MLINFN_GLIDEIN_OUR_USERS": "carol@tier.example,dan@tier.example"}
    read = orders.read(told | IN_A_POOL_OF_OTHERS | users)
    assert (read.pool, read.our_domains) == ("tier1", "site.example,lab.example")
    assert read.our_users == "carol@tier.example,dan@tier.example"


@pytest.mark.parametrize(
    ("more", "mistake"),
    [
        ({"MLINFN_GLIDEIN_POOL": "tier1"}, "it would start nothing"),
        ({"MLINFN_GLIDEIN_OUR_DOMAINS": "site.example"}, "without MLINFN_GLIDEIN_POOL"),
        ({"MLINFN_GLIDEIN_POOL": "tier1", "MLINFN_GLIDEIN_OUR_USERS": "carol"}, "NAME@DOMAIN"),
        ({"MLINFN_GLIDEIN_POOL": "tier1", "MLINFN_GLIDEIN_OUR_USERS": "*@tier.example"}, "NAME@DOMAIN"),
        ({"MLINFN_GLIDEIN_POOL": "tier1", "MLINFN_GLIDEIN_OUR_DOMAINS": "*"}, "domains with commas"),
    ],
)
def test_a_pool_of_others_without_a_word_of_whose_jobs_are_ours_is_a_mistake(told, more, mistake):
    with pytest.raises(GlideinFailed, match=mistake):
        orders.read(told | more)


def test_the_last_words_fit_into_what_kubernetes_keeps():
    words = last_words(Exit.CRASHED, "x" * 100000)
    assert len(words) < 4096
    assert json.loads(words)["cause"] == "crashed"


def test_words_that_cannot_be_written_change_nothing(tmp_path):
    leave_words(tmp_path / "nowhere" / "words", Exit.IDLE, "")
    leave_words(tmp_path / "words", Exit.IDLE, "said")
    assert json.loads((tmp_path / "words").read_text()) == {"code": 0, "cause": "idle", "detail": "said"}
