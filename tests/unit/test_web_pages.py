"""The window's pages over a pool in memory: what they show, what they ask, and whom they refuse."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests
from postgres import wait_until
from web_stand import CookieDoor, CountingPool, Stand, claim, node_ads, reading, stand, submit

from mlinfn_condor.errors import PoolUnavailable
from mlinfn_condor.web.person import COOKIE, DoorShut, SecretDoor

ALICE = {"test-user": "alice"}
SLOTS = [*node_ads("n1"), *node_ads("n2", "T4", 2), claim("n1", 0, "batch")]


@pytest.fixture
def shown() -> Iterator[Stand]:
    pool = CountingPool(SLOTS)
    submit(pool)
    submit(pool, user="carol")
    with stand([], pool=pool) as ready:
        yield ready


def get(one: Stand, path: str = "", user: str = "alice", **options) -> requests.Response:
    return requests.get(f"{one.url}{path}", cookies={"test-user": user}, timeout=60, **options)


def csrf(one: Stand, user: str) -> str:
    page = wait_until(lambda: re.search(r'name="csrf" value="(\w+)"', get(one, "mine", user).text), 60, "a form")
    return page[1]


class Stream:
    """Events of one viewer, as they come."""

    def __init__(self, one: Stand, mark: str = "") -> None:
        answer = get(one, f"events?mark={mark}", stream=True)
        assert answer.status_code == 200
        self._answer, self._lines = answer, answer.iter_lines(chunk_size=1)

    def next(self, kind: str) -> tuple[str, str]:
        """Id and data of the next event of this kind."""
        event, mark, data = "", "", []
        for line in self._lines:
            name, _, value = line.decode().partition(": ")
            if name == "event":
                event = value
            elif name == "id":
                mark = value
            elif name == "data":
                data.append(value)
            elif not line:
                if event == kind:
                    return mark, "\n".join(data)
                event, mark, data = "", "", []
        raise AssertionError("the stream ended")

    def close(self) -> None:
        self._answer.close()


def test_every_device_is_a_tile_with_who_has_it(shown):
    html = get(shown).text
    assert html.count('<li class="t c-') == 6 + 6  # devices, and the legend
    assert "batch, bob" in html
    assert "250 W" in html


def test_a_stranger_sees_nothing(shown):
    for path in ("", "mine", "events", "administration", "reports", "jobs/1.0/why"):
        answer = requests.get(f"{shown.url}{path}", timeout=60)
        assert answer.status_code in (401, 403), path
        assert "bob" not in answer.text


def test_a_stream_sends_what_changed_and_nothing_else(shown):
    mark = re.search(r'data-mark="([^"]+)"', get(shown).text)[1]
    with closing(Stream(shown, mark)) as stream:
        stream.next("ages")
        shown.pool.add_slot(claim("n2", 1, "interactive", "dora"))
        html = ""
        while "session, dora" not in html:  # the queues may come after the page
            html += stream.next("pieces")[1]
    assert 'id="node-n2"' in html
    assert 'id="node-n1"' not in html


def test_who_comes_back_is_sent_what_he_missed(shown):
    mark = re.search(r'data-mark="([^"]+)"', get(shown).text)[1]
    shown.pool.add_slot(claim("n2", 1, "interactive", "dora"))
    wait_until(lambda: "session, dora" in get(shown).text, 60, "the page shows it")
    with closing(Stream(shown, mark)) as stream:
        assert "session, dora" in stream.next("pieces")[1]


def test_who_comes_from_an_earlier_server_is_sent_everything(shown):
    get(shown)
    with closing(Stream(shown, "0badf00d-12")) as stream:
        html = stream.next("pieces")[1]
    assert 'id="node-n1"' in html
    assert 'id="node-n2"' in html


def test_a_node_that_leaves_leaves_the_page(shown):
    mark = re.search(r'data-mark="([^"]+)"', get(shown).text)[1]
    with closing(Stream(shown, mark)) as stream:
        for name in ("slot1@n2@host", "slot5@n2@host"):
            shown.pool.drop(name)
        html = ""
        while "data-gone" not in html:
            html = stream.next("pieces")[1]
    assert 'data-gone="node-n2"' in html


def test_how_busy_a_device_is_comes_from_two_readings(shown):
    get(shown)
    later = [reading(f"GPU-n1-{number}", "A100", 130, 27.0, 80.0) for number in range(4)]
    shown.pool.change("slot1@n1@host", DeviceReadings=later)
    wait_until(lambda: "90 % busy" in get(shown).text, 60, "27 of 30 s")


def test_a_hand_over_is_told_as_it_happens(shown):
    get(shown)
    shown.pool.add_slot(claim("n1", 0, "interactive", "dora"))
    wait_until(lambda: "batch of bob saves its state and goes, dora comes" in get(shown).text, 60, "it is told")
    assert "batch of bob goes by" in get(shown).text


def test_a_source_that_is_away_is_named_and_the_rest_stays(shown):
    wait_until(lambda: "batch, bob" in get(shown).text, 60, "it is shown")
    shown.pool.queues_away = PoolUnavailable("batch@ did not answer")
    wait_until(lambda: "The schedd does not answer" in get(shown).text, 60, "it is told")
    html = get(shown).text
    assert "batch@ did not answer" in html
    assert "The collector does not answer" not in html
    assert "batch, bob" in html


@pytest.mark.parametrize("viewers", [1, 50])
def test_one_viewer_and_fifty_cost_the_same_questions(viewers):
    """However many look, and however busy the machine is: the pool is asked so often in a second, and no more."""
    pool = CountingPool(SLOTS)
    with stand([], pool=pool, look_seconds=0.5, queue_seconds=1) as one:
        streams = [Stream(one, re.search(r'data-mark="([^"]+)"', get(one).text)[1]) for _ in range(viewers)]
        began, before, looks = time.monotonic(), pool.asked.copy(), one.window.live.nodes.version
        wait_until(lambda: one.window.live.nodes.version >= looks + 4, 60, "four looks")
        asked = {kind: pool.asked[kind] - before[kind] for kind in pool.asked}
        of_queues = time.monotonic() - began + 1
        of_nodes = 2 * (time.monotonic() - began) + 1
        for stream in streams:
            stream.close()
    assert asked["jobs"] <= of_queues, "one question to the schedds a second"
    assert asked["submitters"] <= of_nodes + of_queues
    assert asked["slots"] <= of_nodes + 2 * of_queues, "one a look at the nodes, two a look at the queues"


def test_nobody_looks_at_the_pool_while_nobody_looks_at_the_page():
    pool = CountingPool(SLOTS)
    with stand([], pool=pool, linger_seconds=0) as one:
        assert requests.get(f"{one.url}health", timeout=60).text == "well"
        assert pool.asked.total() == 0


def test_my_jobs_are_mine_alone(shown):
    text = wait_until(lambda: (t := get(shown, "mine").text) and "batch@1.0" in t and t, 60, "the job is shown")
    assert "batch@2.0" not in text


def test_my_job_is_stopped(shown):
    answer = requests.post(
        f"{shown.url}jobs/batch@1.0/stop", data={"csrf": csrf(shown, "alice")}, cookies=ALICE, timeout=60
    )
    assert answer.status_code == 200
    assert [job.id.local for job in shown.pool.jobs()] == ["2.0"]


@pytest.mark.parametrize(
    ("user", "given", "headers", "status"),
    [
        ("carol", "own", {}, 404),
        ("alice", "", {}, 403),
        ("alice", "of carol", {}, 403),
        ("alice", "own", {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
    ids=["another's job", "no form of ours", "another's form", "from another page"],
)
def test_nothing_is_stopped_by(shown, user, given, headers, status):
    token = {"": "", "own": csrf(shown, user), "of carol": csrf(shown, "carol")}[given]
    answer = requests.post(
        f"{shown.url}jobs/batch@1.0/stop",
        data={"csrf": token},
        headers=headers,
        cookies={"test-user": user},
        timeout=60,
    )
    assert answer.status_code == status
    assert len(shown.pool.jobs()) == 2


def test_nothing_is_stopped_by_a_link(shown):
    assert get(shown, "jobs/batch@1.0/stop").status_code == 405


def test_why_is_answered_without_asking_the_schedd(shown):
    csrf(shown, "alice")
    questions = shown.pool.asked["jobs"]
    looks = shown.window.live.queue.version
    answer = get(shown, "jobs/batch@1.0/why")
    assert "batch@1.0" in answer.text
    assert answer.status_code == 200
    assert shown.pool.asked["jobs"] - questions <= shown.window.live.queue.version - looks + 1
    assert get(shown, "jobs/batch@2.0/why").status_code == 404


def test_a_log_is_its_owners_and_no_other_file(tmp_path):
    home, pool = tmp_path / "alice", CountingPool(SLOTS)
    home.mkdir()
    (secret := tmp_path / "secret").write_text("the hub's key")
    (home / "out").write_text("".join(f"epoch {n} of 100\n" for n in range(1, 101)))
    (home / "err").symlink_to(secret)
    pool.submit(
        f"executable = /bin/true\ninitialdir = {home}\noutput = out\nerror = err\nlog = {secret}\n"
        '+PriorityClass = "batch"\nqueue',
        "batch@",
    )
    with stand([], pool=pool, home_of=lambda name: tmp_path / name) as one:
        csrf(one, "alice")
        told = get(one, "jobs/batch@1.0/log").text
        assert get(one, "jobs/batch@1.0/log", "carol").status_code == 404
    assert "epoch 100 of 100" in told
    assert "epoch 40 of" not in told
    assert "the hub&#39;s key" not in told
    assert told.count("only files below") == 2


def test_what_users_write_is_text(shown):
    submit(shown.pool, HoldReason="<script>alert(1)</script>", JobStatus=5)
    html = wait_until(lambda: (t := get(shown).text) and "alert(1)" in t and t, 60, "the reason is shown")
    assert "<script>alert" not in html
    assert "script-src 'self'" in get(shown).headers["Content-Security-Policy"]


def test_administration_is_for_administrators(shown):
    assert get(shown, "administration").status_code == 403
    page = get(shown, "administration", "boss")
    assert page.status_code == 200
    for title in ("Alarms", "Services", "Glideins", "Schedules", "Leases"):
        assert title in page.text


def test_a_broken_device_is_an_alarm(shown):
    broken = [reading("GPU-n1-0", "A100", 100, 0, 0, Health="broken", Reason="fell off the bus")]
    shown.pool.change("slot1@n1@host", DeviceReadings=broken)
    wait_until(lambda: "MlinfnDeviceBroken" in get(shown, "administration", "boss").text, 60, "the alarm")


def test_without_a_database_reports_say_so(shown):
    answer = get(shown, "reports/usage")
    assert "no database in this test" in answer.text
    assert get(shown, "reports/nonsense").status_code == 404


def test_the_ages_are_told(shown):
    with closing(Stream(shown)) as stream:
        ages = json.loads(stream.next("ages")[1])
    assert set(ages) == {"collector", "schedd"}


def test_alone_only_the_printed_address_opens():
    door = SecretDoor("alice")
    with stand(SLOTS, door=door) as one:
        page = {"Accept": "text/html"}
        assert requests.get(one.url, headers=page, timeout=60).status_code == 403
        assert requests.get(f"{one.url}?secret=wrong", headers=page, timeout=60).status_code == 403
        visitor = requests.Session()
        answer = visitor.get(f"{one.url}?secret={door.secret}", headers=page, timeout=60)
        assert answer.status_code == 200
        assert "secret" not in answer.url
        assert visitor.cookies[COOKIE]
        assert visitor.get(f"{one.url}mine", timeout=60).status_code == 200


class ShutDoor(CookieDoor):
    def person(self, request):
        raise DoorShut


def test_while_the_hub_is_away_nobody_comes_in_and_is_told_why():
    with stand(SLOTS, door=ShutDoor()) as one:
        answer = get(one)
    assert answer.status_code == 503
    assert "The hub does not answer" in answer.text


def test_it_is_well_as_long_as_it_looks_at_the_pool(shown):
    assert requests.get(f"{shown.url}health", timeout=60).text == "well"
    shown.app.state.looking.get_loop().call_soon_threadsafe(shown.app.state.looking.cancel)
    wait_until(lambda: requests.get(f"{shown.url}health", timeout=60).status_code == 503, 60, "it says so")
