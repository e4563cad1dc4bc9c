"""The culler at work: a hub that answers over HTTP as JupyterHub's API does, folders as sessions have them."""

import asyncio
import json
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from mlinfn_condor.hub.culling import culler as culling
from mlinfn_condor.hub.culling.culler import Culler
from mlinfn_condor.hub.culling.restarts import Restarts
from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.hub.hub_api import HubApi, HubUnavailable
from mlinfn_condor.session import activity, exchange, notices
from mlinfn_condor.session.activity import Activity, Devices, Kernel, Signal

NOW = 2_000_000_000.0
MINUTE, HOUR = 60.0, 3600.0
TOKEN = "secret-of-the-service"
RULES = Rules(device_idle_minutes=60, device_warning_minutes=15, with_device="restart-without-device", look_seconds=1)
GPU = {"kind": "gpu", "model": "A100", "count": 1, "cpus": 4, "memory_mb": 8000, "project": "alpha"}


@dataclass
class FakeHub:
    """Two users a page; a server that is stopped stays listed until it has been asked for so often."""

    folder: Path
    users: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    looks_until_stopped: int = 2
    refusals: int = 0
    """Orders to start that it turns down first, because too many come at once."""
    status: int | None = None
    """What it answers to everything."""

    def run(self, user: str, server: str = "", options: dict[str, Any] = GPU, ready: bool = True) -> Path:
        folder = self.folder / f"{user}-{len(self.users)}"
        folder.mkdir(mode=0o700)
        self.users.setdefault(user, {})[server] = {
            "name": server,
            "ready": ready,
            "pending": None if ready else "spawn",
            "started": "2033-05-17T20:00:00.000000Z",
            "state": {"job": "interactive@1.0", "folder": str(folder), "options": options},
            "user_options": {},
        }
        return folder

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        parts = [unquote(part) for part in urlsplit(path).path.split("/")[3:]]
        if self.status is not None:
            return self.status, {}
        match method, parts:
            case "GET", ["users"]:
                return 200, self._page(int(parse_qs(urlsplit(path).query).get("offset", ["0"])[0]))
            case "GET", ["users", user]:
                self._count_down(user)
                return 200, {"name": user, "servers": self.users[user]}
            case "DELETE" | "POST", ["users", user, *rest]:
                server = rest[1] if rest[0] == "servers" else ""
                self.asked.append((method, f"{user}/{server}", body))
                if method == "DELETE":
                    self.users[user][server] |= {"ready": False, "pending": "stop", "left": self.looks_until_stopped}
                    return 202, None
                if server in self.users[user]:
                    return 400, {}
                self.refusals -= 1
                return (429, {}) if self.refusals >= 0 else (201, None)
        return 404, {}

    def _page(self, offset: int) -> Any:
        names = sorted(self.users)
        items = [{"name": name, "servers": self.users[name]} for name in names[offset : offset + 2]]
        following = {"offset": offset + 2} if len(names) > offset + 2 else None
        return {"items": items, "_pagination": {"offset": offset, "next": following}}

    def _count_down(self, user: str) -> None:
        for name, server in list(self.users[user].items()):
            if server["pending"] == "stop":
                server["left"] -= 1
                if server["left"] < 0:
                    del self.users[user][name]


@pytest.fixture
def hub(tmp_path: Path) -> FakeHub:
    return FakeHub(tmp_path)


@pytest.fixture
def server(hub: FakeHub) -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or "null")
            if self.headers["Authorization"] != f"token {TOKEN}":
                code, answer = 403, None
            else:
                code, answer = hub.answer(self.command, self.path, body)
            self.send_response(code)
            self.end_headers()
            self.wfile.write(b"" if answer is None else json.dumps(answer).encode())

        do_POST = do_DELETE = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(culling, "STOP_LOOK_SECONDS", 0.01)
    return Clock()


Culling = Callable[..., Culler]


@pytest.fixture
def culler_of(server: ThreadingHTTPServer, clock: Clock, tmp_path: Path) -> Culling:
    """Makes a culler of the one hub, as each start of the service does."""

    def make(rules: Rules = RULES, token: str = TOKEN, **told: Any) -> Culler:
        api = HubApi(f"http://127.0.0.1:{server.server_port}/hub/api", token)
        return Culler(api, rules, Restarts(tmp_path / "restarts.json"), now=clock, **told)

    return make


@pytest.fixture
def culler(culler_of: Culling) -> Culler:
    return culler_of()


IDLE = Activity(
    written=NOW,
    started=NOW - 100 * HOUR,
    cpu=Signal(NOW - 100 * HOUR),
    person=NOW - 10 * HOUR,
    kernels=(Kernel("abcdef01", "idle", NOW - 10 * HOUR, connections=1),),
    devices=Devices(("GPU-1",), Signal(NOW - 100 * HOUR), None, 20_000),
)


def look(culler: Culler) -> None:
    async def once() -> None:
        await culler.look()
        await culler.settle()

    asyncio.run(once())


def report(folder: Path, clock: Clock, told: Activity = IDLE) -> None:
    exchange.write(folder, activity.FILE, replace(told, written=clock.now).as_json())


def notice_in(folder: Path) -> notices.Notice | None:
    return notices.read(exchange.read(folder, notices.FILE))


def warned(hub: FakeHub, culler: Culler, clock: Clock, user: str = "alice", server: str = "") -> Path:
    """A session that has been warned, a quarter of an hour later, still idle."""
    folder = hub.run(user, server)
    report(folder, clock)
    look(culler)
    assert notice_in(folder) is not None
    clock.now += 15 * MINUTE
    report(folder, clock)
    return folder


def test_an_idle_session_is_warned_first(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    folder = hub.run("alice")
    report(folder, clock)
    look(culler)
    notice = notice_in(folder)
    assert notice is not None
    assert (notice.given, notice.deadline, notice.deed) == (NOW, NOW + 15 * MINUTE, "restart-without-device")
    assert hub.asked == []


def test_each_session_on_all_pages_is_seen(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    folders = [hub.run(user) for user in ("alice", "bob", "carol", "dave", "erin")]
    for folder in folders:
        report(folder, clock)
    look(culler)
    assert all(notice_in(folder) is not None for folder in folders)


def test_a_busy_kernel_keeps_it_and_takes_the_warning_back(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    folder = warned(hub, culler, clock)
    report(folder, clock, replace(IDLE, kernels=(Kernel("abcdef01", "busy", NOW - 10 * HOUR),)))
    look(culler)
    assert notice_in(folder) is None
    assert hub.asked == []


def test_after_the_warning_it_is_restarted_without_the_device(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    folder = warned(hub, culler, clock, server="my lab/2")
    look(culler)
    assert hub.asked == [
        ("DELETE", "alice/my lab/2", None),
        ("POST", "alice/my lab/2", GPU | {"model": None, "count": 0}),
    ]
    assert notice_in(folder) is None


def test_or_stopped_if_the_site_chose_that(
    hub: FakeHub, culler_of: Culling, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mlinfn.culling")
    culler = culler_of(RULES.model_copy(update={"with_device": "stop"}))
    warned(hub, culler, clock)
    look(culler)
    assert hub.asked == [("DELETE", "alice/", None)]
    decisions = [record.getMessage().split()[3] for record in caplog.records]
    assert decisions == ["decision=warn", "decision=stop"]


def test_a_culler_that_starts_anew_goes_on_from_the_folders(
    hub: FakeHub, culler: Culler, culler_of: Culling, clock: Clock
) -> None:
    warned(hub, culler, clock)
    look(culler_of())
    assert [method for method, _, _ in hub.asked] == ["DELETE", "POST"]


def killed_in_a_restart(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    """The hub has stopped it, and turns down to start it, until the culler is no more."""
    warned(hub, culler, clock)
    hub.refusals = 10**6
    asyncio.run(culler.look())
    assert [method for method, _, _ in hub.asked][:2] == ["DELETE", "POST"]
    assert hub.users["alice"] == {}
    hub.refusals = 0
    hub.asked.clear()


def test_a_restart_that_a_killed_culler_began_is_finished_by_the_next_one(
    hub: FakeHub, culler: Culler, culler_of: Culling, clock: Clock
) -> None:
    killed_in_a_restart(hub, culler, clock)
    look(culler_of())
    assert hub.asked == [("POST", "alice/", GPU | {"model": None, "count": 0})]
    look(culler_of())
    assert len(hub.asked) == 1


def test_nobody_s_session_is_started_who_started_one_himself(
    hub: FakeHub, culler: Culler, culler_of: Culling, clock: Clock
) -> None:
    killed_in_a_restart(hub, culler, clock)
    busy = replace(IDLE, kernels=(Kernel("abcdef01", "busy", NOW),))
    report(hub.run("alice", "other"), clock, busy)
    hub.users["alice"][""] = hub.users["alice"].pop("other")
    look(culler_of())
    del hub.users["alice"][""]
    look(culler_of())
    assert hub.asked == []


def test_nobody_s_session_is_started_who_waits_no_more(
    hub: FakeHub, culler: Culler, culler_of: Culling, clock: Clock
) -> None:
    killed_in_a_restart(hub, culler, clock)
    clock.now += HOUR + 1
    look(culler_of())
    assert hub.asked == []


def test_a_hub_that_stops_it_without_an_answer_starts_it_at_the_next_look(
    hub: FakeHub, culler: Culler, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned(hub, culler, clock)
    stop = HubApi.stop

    def unheard(api: HubApi, session: Any) -> None:
        stop(api, session)
        raise HubUnavailable("no answer within 30 s")

    monkeypatch.setattr(HubApi, "stop", unheard)
    look(culler)
    assert [method for method, _, _ in hub.asked] == ["DELETE"]
    look(culler)
    assert [method for method, _, _ in hub.asked] == ["DELETE", "POST"]


@pytest.mark.parametrize("text", ["{broken", '[{"user": "alice"}]', "[7]"])
def test_a_broken_file_of_restarts_is_nothing_to_do(
    hub: FakeHub, culler_of: Culling, clock: Clock, tmp_path: Path, text: str
) -> None:
    (tmp_path / "restarts.json").write_text(text)
    look(culler_of())
    assert hub.asked == []


def test_a_disk_that_takes_no_restarts_keeps_nobody_s_device(
    hub: FakeHub, culler: Culler, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "restarts.json").mkdir()
    warned(hub, culler, clock)
    look(culler)
    assert [method for method, _, _ in hub.asked] == ["DELETE", "POST"]


def test_who_removes_the_warning_only_does_not_see_it(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    folder = warned(hub, culler, clock)
    exchange.remove(folder, notices.FILE)
    look(culler)
    assert [method for method, _, _ in hub.asked] == ["DELETE", "POST"]


def test_a_warning_that_does_not_arrive_does_not_count(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    folder = hub.run("alice")
    report(folder, clock)
    (folder / notices.FILE).mkdir()  # Nothing can be put in its place.
    look(culler)
    clock.now += 15 * MINUTE
    report(folder, clock)
    look(culler)
    assert hub.asked == []


def test_a_hub_that_refuses_is_asked_again_at_the_next_look(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    folder = warned(hub, culler, clock)
    hub.status = 503
    with pytest.raises(HubUnavailable, match="the hub answers 503"):
        look(culler)
    assert notice_in(folder) is not None
    hub.status = None
    look(culler)
    assert [method for method, _, _ in hub.asked] == ["DELETE", "POST"]


def test_a_hub_that_starts_too_many_just_now_is_asked_again(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    hub.refusals = 2
    warned(hub, culler, clock)
    look(culler)
    assert [method for method, _, _ in hub.asked] == ["DELETE", "POST", "POST", "POST"]


def test_a_session_that_does_not_stop_is_not_started_twice(
    hub: FakeHub, culler: Culler, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(culling, "STOP_SECONDS", 0.1)
    hub.looks_until_stopped = 10**6
    warned(hub, culler, clock)
    look(culler)
    look(culler)
    assert [method for method, _, _ in hub.asked] == ["DELETE"]
    assert "it is not started again" in caplog.text


@pytest.mark.parametrize("user", ["alice", "a.b-c_d", "../admin", "bob?x=1", "ünï"])
def test_names_stay_names_in_addresses(hub: FakeHub, culler: Culler, clock: Clock, user: str) -> None:
    hub.users[user] = {}
    folder = hub.folder / "session"
    folder.mkdir(mode=0o700)
    hub.users[user]["../../shutdown?"] = {
        "ready": True,
        "pending": None,
        "state": {"folder": str(folder), "options": GPU},
    }
    report(folder, clock)
    look(culler)
    clock.now += 15 * MINUTE
    report(folder, clock)
    look(culler)
    assert [what for _, what, _ in hub.asked] == [f"{user}/../../shutdown?"] * 2


def test_nothing_is_done_where_nothing_is_known(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    """Broken, gone or foreign: neither harm nor help, and the session beside it gets its due."""
    (hub.run("alice") / activity.FILE).write_text("{broken")
    shutil.rmtree(hub.run("bob"))
    hub.run("carol")
    hub.users["carol"][""]["state"] = {"folder": 7, "options": [1]}
    hub.run("dave")
    hub.users["dave"][""]["state"] = None
    starting = hub.run("erin", ready=False)
    report(starting, clock)
    idle = hub.run("frank")
    report(idle, clock)
    for _ in range(3):
        look(culler)
        clock.now += 15 * MINUTE
    assert notice_in(idle) is not None
    assert notice_in(starting) is None
    assert hub.asked == []


def test_a_report_that_grew_old_changes_nothing(hub: FakeHub, culler: Culler, clock: Clock) -> None:
    folder = warned(hub, culler, clock)
    clock.now += 4 * MINUTE
    look(culler)
    assert hub.asked == []
    assert notice_in(folder) is not None


def test_a_person_s_limit_of_hours_ends_a_busy_session(hub: FakeHub, culler_of: Culling, clock: Clock) -> None:
    def hours(user: str, options: Any) -> float | None:
        return 2.0 if (user, options["project"]) == ("alice", "alpha") else None

    culler = culler_of(longest_hours=hours)
    folder = hub.run("alice")
    hub.users["alice"][""]["started"] = "2033-05-18T01:33:20Z"  # Two hours before NOW.
    busy = replace(IDLE, kernels=(Kernel("abcdef01", "busy", NOW),))
    report(folder, clock, busy)
    look(culler)
    notice = notice_in(folder)
    assert notice is not None
    assert (notice.cause, notice.deed, notice.deadline) == ("age", "stop", NOW + HOUR)
    clock.now += HOUR
    report(folder, clock, busy)
    look(culler)
    assert hub.asked == [("DELETE", "alice/", None)]


def test_without_the_right_token_nothing_is_known(culler_of: Culling) -> None:
    with pytest.raises(HubUnavailable, match="the hub answers 403"):
        look(culler_of(token="wrong"))


def test_a_hub_that_is_down_is_waited_for(
    hub: FakeHub, culler_of: Culling, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop itself: down, up again, one line for it."""
    folder = hub.run("alice")
    report(folder, clock)
    hub.status = 502
    caplog.set_level(logging.INFO, "mlinfn.culling")
    culler = culler_of(RULES.model_copy(update={"look_seconds": 0.02}))

    async def until_warned() -> None:
        running = asyncio.create_task(culler.run())
        deadline = asyncio.get_running_loop().time() + 60
        while notice_in(folder) is None:
            assert asyncio.get_running_loop().time() < deadline, "no warning"
            if "hub_unavailable" in caplog.text:
                hub.status = None
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await culler.settle()

    asyncio.run(until_warned())
    assert caplog.text.count("hub_unavailable") == 1


def test_a_busy_session_is_told_of_its_account_s_end_and_left_to_the_accounts_service(
    hub: FakeHub, culler_of: Culling, clock: Clock
) -> None:
    ends: dict[str, float] = {"alice": NOW + HOUR}
    culler = culler_of(account_end=ends.get)
    folder = hub.run("alice")
    busy = replace(IDLE, kernels=(Kernel("abcdef01", "busy", NOW),))
    for moment in (NOW, NOW + HOUR + 1):
        clock.now = moment
        report(folder, clock, busy)
        look(culler)
        notice = notice_in(folder)
        assert notice is not None
        assert (notice.cause, notice.given, notice.deadline) == ("account", NOW, NOW + HOUR)
    ends.clear()
    look(culler)
    assert notice_in(folder) is None
    assert hub.asked == []
