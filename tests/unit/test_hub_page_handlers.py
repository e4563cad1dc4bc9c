"""The pages' addresses in a real JupyterHub, asked as a browser asks."""

import re

import pytest
import requests
from page_hub import FakePlatform, hub, signed_in

from mlinfn_condor.hub.page.limits import Limits


@pytest.fixture(scope="module")
def platform():
    return FakePlatform(limits=Limits(sessions_per_person=2))


@pytest.fixture(scope="module")
def address(tmp_path_factory, platform):
    with hub(tmp_path_factory.mktemp("hub"), platform) as address:
        yield address


@pytest.fixture(scope="module")
def alice(address):
    return signed_in(address, "alice")


@pytest.fixture(scope="module")
def admin(address):
    return signed_in(address, "admin")


def offers(browser, address, **choice):
    return browser.get(f"{address}pool/offers", params=choice)


def test_the_spawn_page_has_the_form_within_the_hub_s_own(alice, address):
    html = alice.get(f"{address}spawn/alice/work").text
    assert "<h1" in html
    assert "Start a session" in html
    form = html.index('id="spawn_form"')
    assert form < html.index('name="device" value="gpu:A100"') < html.index("</form>", form)


def test_the_offers_are_counts_that_add_up(alice, address):
    told = offers(alice, address).json()
    assert told["answers"] is True
    cards = {card["value"]: card for card in told["cards"]}
    counts = {part["name"]: part["count"] for part in cards["gpu:A100"]["parts"]}
    assert counts == {"free": 0, "reclaimable": 1, "sessions": 1, "offline": 0}
    assert all(sum(part["count"] for part in card["parts"]) == card["total"] for card in told["cards"])


@pytest.mark.parametrize(
    ("choice", "start", "words"),
    [
        ({}, "at once", "server2 has room"),
        ({"device": "gpu:T4", "count": "2"}, "at once", "2 T4 are free on server1"),
        ({"device": "gpu:T4", "cpus": "5"}, "cannot", "at most 4"),
        ({"device": "fpga:U50"}, "cannot", "U50 is offline with gone"),
        ({"device": "gpu:$(x)", "cpus": "-1"}, "cannot", "use letters"),
        ({"device": ["gpu:T4", "gpu:A100"]}, "cannot", "give it once"),
    ],
)
def test_what_will_happen_follows_the_choice(alice, address, choice, start, words):
    told = offers(alice, address, **choice).json()
    assert told["start"] == start
    assert words in told["sentence"]


def test_the_session_that_waits_for_the_rest_comes_first(alice, address):
    told = offers(alice, address, device="gpu:A100").json()
    assert told["start"] == "displaces"
    assert "within 31 s" in told["sentence"]


def test_a_refusal_names_the_session_to_stop(alice, address, platform):
    assert offers(alice, address).json()["refusal"] == ""
    refused = offers(alice, address, device="gpu:T4", count="2").json()["refusal"]
    assert "Stop one of yours first" in refused
    assert '"notes"' in refused


def test_nobody_reads_offers_without_signing_in(address):
    answer = requests.get(f"{address}pool/offers", timeout=30)
    assert answer.status_code == 403


def test_nobody_asks_in_the_name_of_somebody_else_but_an_administrator(alice, admin, address):
    assert offers(alice, address, user="bob").status_code == 403
    assert offers(admin, address, user="alice").json()["allowance"].startswith("You have 1 of 2 sessions")


def test_offers_are_for_no_cache_and_no_other_site(alice, address):
    answer = offers(alice, address)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_only_an_administrator_sees_who_holds_what(alice, address):
    assert alice.get(f"{address}pool/sessions").status_code == 403
    assert "pool/sessions" not in alice.get(f"{address}home").text


def test_the_administrator_finds_the_page_from_any_other(admin, address):
    assert 'href="/hub/pool/sessions"' in admin.get(f"{address}home").text


def test_the_administrator_sees_who_holds_what(admin, address):
    html = re.sub(r"\s+", " ", admin.get(f"{address}pool/sessions").text)
    assert "interactive@3.0" in html
    assert "1 A100 (simulated)" in html
    assert 'data-user="alice" data-server="notes"' in html
    assert "not of this hub" in html
    assert html.count('aria-label="Stop session') == 2


def test_the_stop_button_s_request_needs_the_hub_s_own_page(admin, address):
    url = f"{address}api/users/alice/servers/nothing"
    assert admin.delete(url).status_code == 403
    html = admin.get(f"{address}pool/sessions").text
    token = re.search(r'xsrf_token: "([^"]+)"', html)[1]
    assert admin.delete(url, headers={"X-XSRFToken": token}).status_code == 404


def test_a_silent_pool_gives_pages_that_say_so(alice, admin, address, platform, monkeypatch):
    async def nothing():
        return None

    monkeypatch.setattr(platform, "snapshot", nothing)
    told = offers(alice, address).json()
    assert (told["answers"], told["start"]) == (False, "unknown")
    assert [card["value"] for card in told["cards"]] == ["none"]
    assert "The pool does not answer" in admin.get(f"{address}pool/sessions").text
