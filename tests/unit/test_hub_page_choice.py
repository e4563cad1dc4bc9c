"""What a person chose: whatever comes in, a Choice or a BadRequest comes out."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.page.choice import FIELDS, OPTIONS, Choice
from mlinfn_condor.hub.page.offers import Offer, Offers, Shape
from mlinfn_condor.pool import DeviceKind, language

A100 = Offer(DeviceKind.GPU, "A100", False, 1, 0, 0, 0, 2, Shape(16, 50_000, 16, 50_000))
OFFERS = Offers((A100,), Shape(2, 4_000, 8, 16_000))
NOTHING_CHOSEN = {"kind": "gpu", "model": None, "count": 0, "cpus": 2, "memory_mb": 4_000, "project": None}


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ({}, {}),
        ({"device": ["none"], "count": ["1"], "cpus": [""], "memory_gb": [" "], "project": [""]}, {}),
        ({"device": ["gpu:A100"]}, {"model": "A100", "count": 1, "cpus": 16, "memory_mb": 50_000}),
        ({"device": ["gpu:A100"], "count": ["2"]}, {"model": "A100", "count": 2, "cpus": 32, "memory_mb": 100_000}),
        ({"device": ["gpu:A100-1g.5gb"]}, {"model": "A100-1g.5gb", "count": 1, "cpus": 1, "memory_mb": 2048}),
        ({"device": ["fpga:U50"]}, {"kind": "fpga", "model": "U50", "count": 1, "cpus": 1, "memory_mb": 2048}),
        ({"device": ["gpu"]}, {"count": 1, "cpus": 1, "memory_mb": 2048}),
        (
            {"cpus": [" 4 "], "memory_gb": ["1.5"], "project": ["alpha"]},
            {"cpus": 4, "memory_mb": 1536, "project": "alpha"},
        ),
        ({"memory_gb": ["1,5"], "_xsrf": ["whatever"]}, {"memory_mb": 1536}),
    ],
)
def test_the_form_says_what_is_wanted(form, options):
    assert Choice.from_form(form, OFFERS).options() == NOTHING_CHOSEN | options


@pytest.mark.parametrize(
    ("options", "canonical"),
    [
        ({}, {}),
        ({"model": None, "cpus": None, "kind": None}, {}),
        ({"model": "A100"}, {"model": "A100", "count": 1, "cpus": 16, "memory_mb": 50_000}),
        ({"kind": "fpga", "model": "U50", "count": 0}, {}),
        ({"kind": "fpga"}, {}),
        (
            {"count": 1, "model": "A100", "cpus": 3, "memory_mb": 9},
            {"count": 1, "model": "A100", "cpus": 3, "memory_mb": 9},
        ),
    ],
)
def test_a_program_says_what_is_wanted(options, canonical):
    assert Choice.from_options(options, OFFERS).options() == NOTHING_CHOSEN | canonical


@pytest.mark.parametrize(
    ("form", "mistake"),
    [
        ({"device": ["tpu:v4"]}, "kind is 'tpu': choose gpu or fpga"),
        ({"device": ["gpu:$(HOME)"]}, "model is '$(HOME)': use letters"),
        ({"device": ["gpu:A100\ngetenv = true"]}, r"model is 'A100\ngetenv = true': use letters"),
        ({"device": ["gpu:Ａ100"]}, "model is '\\uff21100': use letters"),
        ({"device": ["gpu:" + "x" * 65]}, "at most 64 characters"),
        ({"device": ["gpu:A100", "gpu:T4"]}, "device is ['gpu:A100', 'gpu:T4']: give it once"),
        ({"device": ["gpu:A100"], "count": ["-1"]}, "count is '-1': give a whole number"),
        ({"device": ["gpu:A100"], "count": ["1025"]}, "count is 1025: at most 1024"),
        ({"count": ["NaN"]}, "count is 'NaN': give a whole number"),
        ({"cpus": ["0"]}, "cpus is 0: at least 1"),
        ({"cpus": ["9" * 5000]}, "at most 100000"),
        ({"cpus": ["٣"]}, "cpus is '\\u0663': give a whole number"),
        ({"cpus": ["1e3"]}, "cpus is '1e3': give a whole number"),
        ({"memory_gb": ["inf"]}, "memory_gb is 'inf': give a number"),
        ({"memory_gb": ["-1"]}, "memory_gb is '-1': give a number"),
        ({"memory_gb": ["1.2.3"]}, "memory_gb is '1.2.3': give a number"),
        ({"memory_gb": ["9" * 5000]}, "at most 1000000000"),
        ({"project": ['alpha"\n+PriorityClass = "x']}, "project is"),
        ({"project": ["../beta"]}, "project is '../beta'"),
        ({"disk": ["1"]}, "'disk': there is no such field"),
        ({"model_file": [{"filename": "x", "body": b"y"}]}, "'model_file': there is no such field"),
        ({"device": [b"none"]}, "device is [b'none']"),
        ({"device": "none"}, "device is 'none': give it once"),
    ],
)
def test_what_is_wrong_with_a_form_is_told_with_its_cure(form, mistake):
    with pytest.raises(BadRequest) as refused:
        Choice.from_form(form, OFFERS)
    assert mistake in str(refused.value)


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        ({"count": True}, "count is True: give a whole number"),
        ({"count": 1.5}, "count is 1.5: give a whole number"),
        ({"cpus": math.nan}, "cpus is nan: give a whole number"),
        ({"memory_mb": "4096"}, "memory_mb is '4096': give a whole number"),
        ({"memory_mb": 10**400}, "at most 1000000000"),
        ({"memory_mb": 10**5000}, "at most 1000000000"),
        ({"model": ["A100"]}, "model is ['A100']: give a text"),
        ({"project": {"name": "alpha"}}, "project is"),
        ({"kind": "GPU"}, "kind is 'GPU': choose gpu or fpga"),
        ({"image": "x"}, "image is 'x': there is no such field; known are kind, model"),
        ({1: 2}, "1 is 2: there is no such field"),
        ([], "options are []: give an object with kind"),
        ("text", "options are 'text': give an object"),
    ],
)
def test_what_is_wrong_with_options_is_told_with_its_cure(options, mistake):
    with pytest.raises(BadRequest) as refused:
        Choice.from_options(options, OFFERS)
    assert mistake in str(refused.value)


def test_every_mistake_comes_at_once_and_only_once():
    form = {
        "device": ["gpu:$(x)"],
        "count": ["many"],
        "cpus": ["-4"],
        "memory_gb": ["lots"],
        "project": ["a b"],
        "x": [],
    }
    with pytest.raises(BadRequest) as refused:
        Choice.from_form(form)
    sentences = str(refused.value).split("; ")
    assert [sentence.split(" is ")[0].split(":")[0] for sentence in sentences] == [
        "'x'",
        "memory_gb",
        "model",
        "count",
        "cpus",
        "project",
    ]


def test_a_choice_that_came_from_a_form_comes_back_from_its_options():
    choice = Choice.from_form({"device": ["gpu:A100"], "count": ["2"], "project": ["alpha"]}, OFFERS)
    assert Choice.from_options(choice.options()) == choice


HOSTILE_TEXT = st.text() | st.sampled_from(
    [
        "$(x)",
        "$ENV(HOME)",
        "$$([1])",
        "a\nb",
        "\x00",
        "NaN",
        "-1",
        "1e9",
        "0x10",
        "gpu:A100",
        "gpu:",
        ":",
        "9" * 4400,
        "½",
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HOSTILE_TEXT | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE_TEXT, inner, max_size=3),
    max_leaves=6,
)


def accepted_is_safe(read, value):
    try:
        choice = read(value)
    except BadRequest:
        return
    assert choice.cpus >= 1
    assert choice.memory_mb >= 1
    assert choice.devices.count >= 0
    texts = [text for text in (choice.devices.model, choice.project) if text is not None]
    assert all(text.isascii() and language.complaint(text) is None for text in texts)
    assert Choice.from_options(choice.options()) == choice


@settings(database=None)
@given(st.dictionaries(st.sampled_from(FIELDS) | HOSTILE_TEXT, st.lists(HOSTILE_TEXT | ANYTHING, max_size=3)))
def test_no_form_gives_anything_but_a_choice_or_a_refusal(form):
    accepted_is_safe(Choice.from_form, form)


@settings(database=None)
@given(st.dictionaries(st.sampled_from(OPTIONS) | st.integers(), ANYTHING) | ANYTHING)
def test_no_options_give_anything_but_a_choice_or_a_refusal(options):
    accepted_is_safe(Choice.from_options, options)
