"""What somebody who is signed in may send to a real hub on a real pool: a clear refusal each, and nothing submitted."""

import html
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hub_client import Person

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.settings import Settings

OPTIONS: dict[str, object] = {
    "a text for a number": {"cpus": "1"},
    "a fraction": {"cpus": 1.5},
    "a truth value": {"cpus": True},
    "nothing at all of it": {"cpus": 0},
    "less than nothing": {"memory_mb": -1},
    "more than any machine": {"cpus": 99_999},
    "a number without end": {"memory_mb": 10**400},
    "more memory than any node": {"memory_mb": 900_000_000},
    "devices beyond the limit": {"model": "T4", "count": 900},
    "a model that is not there": {"model": "H100"},
    "a macro for a model": {"model": "$(HOME)"},
    "a late macro for a model": {"model": "$$(Machine)"},
    "a line more in a model": {"model": "T4\nqueue 100"},
    "an expression in a model": {"model": 'T4" || true || "'},
    "a very long model": {"model": "T" * 5000},
    "a model of another kind": {"kind": "fpga", "model": "T4"},
    "a kind that is not there": {"kind": "quantum"},
    "a project of others": {"project": "beta"},
    "a project that is not there": {"project": "gamma"},
    "a macro for a project": {"project": "$ENV(HOME)"},
    "a line more in a project": {"project": 'alpha\n+PriorityClass = "batch"'},
    "a field of the submit language": {"requirements": "true"},
    "a field of the spawner's": {"cmd": ["/bin/sh"]},
    "the owner": {"owner": "bob"},
    "an object for a number": {"cpus": {"$gt": 0}},
    "a list for a model": {"model": ["T4"]},
    "a list for all": ["T4"],
    "a text for all": "T4",
}
FORMS: dict[str, dict[str, object]] = {
    "no such field": {"device": "none", "owner": "bob"},
    "a field twice": {"device": ["none", "gpu:T4"]},
    "a device that is not there": {"device": "gpu:H100"},
    "a macro for a device": {"device": "gpu:$(x)"},
    "no number": {"device": "gpu:T4", "count": "many"},
    "less than nothing": {"device": "none", "cpus": "-4"},
    "too much": {"device": "none", "memory_gb": "1e9"},
    "a project of others": {"device": "none", "project": "beta"},
}
LEGAL = ["two words", "$(HOME)'\";|&`", "ünïcode ☢", "-n", "..", "a%0aqueue 100"]
NOBODY = [
    "$(x)",
    "$$(x)",
    "../alice",
    "al ice",
    "alice\nbob",
    "hub",
    "admin",
    "condor",
    "root",
    "☢",
    "a" * 300,
    "a'b\"",
]


@pytest.fixture(scope="module")
def settings(pool_home: Path) -> Settings:
    return Settings(home=pool_home, pool="hostile")


@pytest.fixture(scope="module")
def hub(settings: Settings) -> Iterator[RunningHub]:
    try:
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


@pytest.fixture(scope="module")
def alice(hub: RunningHub) -> Person:
    return Person(hub.url, "alice", hub.passwords["alice"])


def submitted(settings: Settings) -> list[str]:
    """Every job that the sessions' access point ever took."""
    environment = os.environ | pools.environment(settings, "admin")
    found: list[str] = []
    for words in (["condor_q", "-all"], ["condor_history"]):
        command = [*words, "-name", "interactive@", "-af:j", "Owner"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        found += done.stdout.splitlines()
    return found


def refusal(alice: Person, server: str, options: object) -> str:
    """What the hub says to a start that it refuses, at once or in its progress."""
    path = f"servers/{quote(server, safe='')}"
    answer = alice.ask("POST", f"api/users/alice/{path}", json=options, params={"_xsrf": alice._xsrf})
    if answer.status_code in (201, 202):  # JupyterHub says so before it asks the spawner
        return failure(alice, quote(server, safe=""))
    assert answer.status_code in (400, 403, 404), (answer.status_code, answer.text)
    return str(answer.json()["message"])


def failure(alice: Person, path: str) -> str:
    """Why a start failed, as its progress tells."""
    events = list(alice.progress(path))
    assert events, "the hub said nothing"
    assert events[-1].get("failed"), events
    return str(events[-1]["message"])


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_options_that_no_page_of_ours_sends_are_refused_in_words(alice, settings, options):
    before = submitted(settings)
    said = refusal(alice, "hostile", options)
    assert 10 < len(said) < 600, said
    assert "Traceback" not in said
    assert "unhandled" not in said.lower()
    assert submitted(settings) == before
    assert "hostile" not in {name for name, server in alice.servers().items() if server.get("ready")}


@pytest.mark.parametrize("fields", FORMS.values(), ids=FORMS)
def test_a_form_that_was_tampered_with_is_refused_in_words(alice, settings, fields):
    before = submitted(settings)
    alice.ask("GET", "spawn/alice")
    answer = alice.ask("POST", "spawn/alice", data={**fields, "_xsrf": alice._xsrf})
    assert answer.status_code < 500, answer.status_code
    assert "Traceback" not in answer.text
    if "spawn-pending" in answer.url:  # what only the pool knows to be wrong is told where the start is told
        assert len(failure(alice, "")) > 10
    else:
        assert 'id="spawn_form"' in answer.text
        assert "Error" in answer.text
    assert submitted(settings) == before


def test_a_form_with_one_mistake_comes_back_as_it_was_filled_in(alice):
    alice.ask("GET", "spawn/alice/notes")
    told = {"device": "gpu:T4", "cpus": "3", "memory_gb": "1000000", "_xsrf": alice._xsrf}
    page = alice.ask("POST", "spawn/alice/notes", data=told).text
    assert 'data-server="notes"' in page
    assert 'value="3"' in page
    assert 'value="1000000"' in page


def test_a_full_home_is_told_on_the_page_and_nothing_is_submitted(hub, settings):
    bob, before = Person(hub.url, "bob", hub.passwords["bob"]), submitted(settings)
    home = hub.layout.pool.homes / "bob"
    aside = home.rename(home.with_name("bob-aside"))
    home.symlink_to("/proc")  # a disk on which nothing is free
    try:
        events = bob.start()
        page = bob.ask("GET", "spawn-pending/bob")
    finally:
        home.unlink()
        aside.rename(home)
    assert events[-1].get("failed"), events
    for told in (events[-1]["message"], html.unescape(page.text)):
        assert f"The home {home} is full (0 MB are left of its disk): remove files, or ask for more room" in told
    assert submitted(settings) == before


@pytest.mark.parametrize("name", LEGAL)
def test_odd_names_of_servers_are_names_and_nothing_else(alice, settings, name):
    before = submitted(settings)
    path = quote(name, safe="")
    said = alice.ask("POST", f"api/users/alice/servers/{path}", json={}, params={"_xsrf": alice._xsrf})
    if said.status_code in (400, 404):  # the hub itself takes no such name
        assert submitted(settings) == before
        return
    assert said.status_code in (201, 202), said.text
    events = list(alice.progress(path))
    assert events[-1].get("ready"), events
    new = sorted(set(submitted(settings)) - set(before))
    assert len(new) == 1
    assert new[0].endswith(" alice")
    answer = alice.ask("DELETE", f"api/users/alice/servers/{path}", params={"_xsrf": alice._xsrf})
    assert answer.status_code in (202, 204)


@pytest.mark.parametrize("name", NOBODY)
def test_a_name_that_is_no_account_signs_in_nowhere(hub, settings, name):
    nobody = Person(hub.url, name, hub.passwords["alice"])
    assert nobody.answer.status_code in (400, 401, 403), nobody.answer.status_code
    assert nobody.http.get(f"{hub.url}hub/api/user", timeout=30).status_code == 403
