"""The spawn page's form as it is without a script: true at the moment it was sent."""

import asyncio
import re
from html.parser import HTMLParser

import pytest
from page_hub import FakePlatform
from small_pool import device_ads, partitionable, snapshot

from mlinfn_condor.hub.page.choice import Choice
from mlinfn_condor.hub.page.form import possible, render
from mlinfn_condor.hub.page.limits import Limits, Person


class Page(HTMLParser):
    """Elements as (tag, attributes), and all text outside style and script."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self._inside = [], "", ""
        self.feed(html)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._inside = tag

    def handle_data(self, text):
        if self._inside not in ("script", "style"):
            self.text += text

    def handle_endtag(self, tag):
        self._inside = ""

    def all(self, tag, **attributes):
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]


def page(platform, server="", chosen=None, user="alice"):
    return Page(asyncio.run(render(platform, user, server, "/hub/", chosen)))


class Silent(FakePlatform):
    async def snapshot(self):
        return None


def test_every_model_is_a_radio_button_and_none_is_chosen_for_the_user():
    radios = page(FakePlatform()).all("input", type="radio", name="device")
    assert [one["value"] for one in radios] == ["none", "gpu:A100", "gpu:T4", "fpga:U50"]
    assert [one["value"] for one in radios if "checked" in one] == ["none"]


def test_counts_are_said_in_words():
    text = page(FakePlatform()).text
    assert "1 batch or Dask, gives way" in text
    assert "8 free" in text
    assert "1 offline" in text
    assert "T4 (simulated)" in text


def test_what_will_happen_is_said_of_every_model():
    text = page(FakePlatform()).text
    assert "Starts at once, in a few seconds: server2 has room for 2 cores" in text
    assert "Not to be had now" in text


def test_what_the_form_would_send_unchanged_is_a_choice():
    shown = page(FakePlatform())
    fields = {one["name"]: [one.get("value", "")] for one in shown.all("input") if one.get("type") != "radio"}
    device = [one["value"] for one in shown.all("input", type="radio") if "checked" in one]
    project = [one["value"] for one in shown.all("option") if "selected" in one]
    choice = Choice.from_form(fields | {"device": device, "project": project})
    assert (choice.devices.count, choice.project) == (0, "alpha")


def test_what_was_chosen_before_is_chosen_again():
    shown = page(FakePlatform(), chosen={"device": ["gpu:T4"], "cpus": ["3"], "project": ["beta"]})
    assert [one["value"] for one in shown.all("input", type="radio") if "checked" in one] == ["gpu:T4"]
    assert shown.all("input", name="cpus")[0]["value"] == "3"
    assert [one["value"] for one in shown.all("option") if "selected" in one] == ["beta"]


def test_every_field_has_a_label():
    shown = page(FakePlatform())
    labelled = {one["for"] for one in shown.all("label") if "for" in one}
    fields = [one for tag in ("input", "select") for one in shown.all(tag) if one.get("type") != "radio"]
    assert len(fields) == 4
    assert {one["id"] for one in fields} == labelled


def test_nothing_comes_from_another_host():
    html = asyncio.run(render(FakePlatform(), "alice", "", "/hub/"))
    assert re.findall(r"""(?:src|href)\s*=|url\(|@import|https?://""", html) == []


def test_the_limits_are_told_and_why_another_session_is_refused():
    text = page(FakePlatform(limits=Limits(sessions_per_person=1, session_hours=12)), server="work").text
    assert "You have 1 of 1 session and 1 of 2 devices. A session ends after 12 hours." in text
    assert 'Stop one of yours first: "notes".' in text


def test_a_session_that_starts_again_does_not_stand_in_its_own_way():
    text = page(FakePlatform(limits=Limits(sessions_per_person=1)), server="notes").text
    assert "You have 0 of 1 session" in text
    assert "Stop one of yours" not in text


def test_a_pool_that_does_not_answer_is_said_and_the_form_is_still_there():
    shown = page(Silent())
    assert "The pool does not answer at the moment" in shown.text
    assert [one["value"] for one in shown.all("input", type="radio")] == ["none"]


def test_somebody_without_a_project_is_told_whom_to_ask():
    shown = page(FakePlatform(projects=()))
    assert "You belong to no project yet" in shown.text
    assert "disabled" in shown.all("select")[0]


@pytest.mark.parametrize("text", ['"><script>alert(1)</script>', "'; alert(1)//", "{{ 7*7 }}", "Übung & <b>1</b>"])
def test_no_name_becomes_markup(text):
    model = partitionable("slot1@x@host", "session", device_ads("x", text, 1))
    before = len(page(FakePlatform(snapshot([], (model,)))).all("script"))
    shown = page(FakePlatform(snapshot([], (model,)), projects=(text,)), server=text, user=text)
    assert len(shown.all("script")) == before == 1
    assert shown.all("b") == [{}] * len(shown.all("b"))
    assert f"gpu:{text}" in [one["value"] for one in shown.all("input", type="radio")]
    assert shown.all("div", id="mlinfn-choice")[0]["data-server"] == text


def test_no_more_accelerators_can_be_entered_than_a_session_may_have():
    shown = page(FakePlatform(limits=Limits(devices_per_session=1, people={"alice": Person(devices=9)})))
    assert shown.all("input", name="count")[0]["max"] == "1"
    assert {one["data-most"] for one in shown.all("input", type="radio") if one["value"] != "none"} == {"1"}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"device": ["gpu:T4"], "cpus": [" 3 "]}, {"device": "gpu:T4", "cpus": "3"}),
        ({"device": ["gpu:H100"], "memory_gb": ["1,5"]}, {"memory_gb": "1,5"}),
        ({"project": ["gamma"], "count": ["2"]}, {"count": "2"}),
        ({"cpus": ["1", "2"], "memory_gb": []}, {}),
        ({"cpus": ["-1"], "count": ["many"], "memory_gb": ['"><script>']}, {}),
        ({"cpus": ["9" * 5000], "owner": ["bob"]}, {}),
    ],
)
def test_of_a_refused_form_what_can_be_is_kept(told, kept):
    assert possible(told, {"none", "gpu:T4"}, ("alpha",)) == kept
