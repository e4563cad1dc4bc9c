"""Where a hub that starts anew looks for a session: not where the session's last start was."""

import asyncio
import logging
from dataclasses import replace
from types import SimpleNamespace

import pytest
from jupyterhub.app import JupyterHub

from mlinfn_condor.errors import PoolUnavailable
from mlinfn_condor.hub.sessions import Look
from mlinfn_condor.hub.spawner import CondorSpawner
from mlinfn_condor.pool import Job, JobId
from mlinfn_condor.session.folder import Server

JOB = JobId("interactive@", 1, 0)
SERVER = Server("https://nodea:1/", 1, 4711, "nodea", "1.0", [], 1000.0, job_start=100)


def found(server: Server | None, look: Look | Exception) -> Server | None:
    async def a_look_after(moment: float, seconds: float) -> Look:
        if isinstance(look, Exception):
            raise look
        return look

    watch = SimpleNamespace(a_look_after=a_look_after)
    spawner = SimpleNamespace(_published=lambda: server, job=JOB, watch=watch, _submitted=0.0, log=logging.getLogger())
    return asyncio.run(CondorSpawner._published_by_this_start(spawner))


def running(status: int, start: int) -> Look:
    ad = {"ClusterId": 1, "ProcId": 0, "JobStatus": status, "JobCurrentStartDate": start}
    return Look({JOB: Job.from_ad(JOB.access_point, ad)})


@pytest.mark.parametrize(
    ("look", "believed"),
    [
        (running(2, 100), True),
        (running(2, 101), False),  # started anew, and it has not told yet
        (running(1, 100), False),  # it waits for a node
        (Look(), False),
        (PoolUnavailable("the access point does not answer"), True),
    ],
)
def test_what_its_folder_tells_is_believed_of_its_present_start_alone(look, believed):
    assert found(SERVER, look) == (SERVER if believed else None)


def test_a_session_that_tells_no_start_is_believed():
    older = replace(SERVER, job_start=None)
    assert found(older, Look()) == older
    assert found(None, Look()) is None


def goes_on_at(monkeypatch, known: Server, told: list[Server | None]) -> tuple[str, list[str]]:
    """Where hub and proxy look for it after a move, and whom the proxy was told of; `told` are answers in turn."""
    routes: list[str] = []

    async def add_user(user: object, name: str) -> None:
        routes.append(name)

    async def published() -> Server | None:
        return told.pop(0)

    async def certified(_: Server) -> bool:
        return True

    async def nothing(*_: object) -> None:
        """It lives, and there is always a next look."""

    monkeypatch.setattr(JupyterHub, "instance", lambda: SimpleNamespace(proxy=SimpleNamespace(add_user=add_user)))
    server = SimpleNamespace(url=known.url, ip="nodea", port=1)
    spawner = SimpleNamespace(
        server=server, pending=None, http_timeout=60, user=None, name="gpu", job=JOB, log=logging.getLogger(),
        _log_name="ada", _published_by_this_start=published, _certified=certified, poll=nothing,
        watch=SimpleNamespace(next_look=nothing),
    )  # fmt: skip
    asyncio.run(CondorSpawner.moved(spawner))
    return f"https://{server.ip}:{server.port}/", routes


def test_a_session_that_moved_is_looked_for_where_its_present_start_is(monkeypatch):
    there = replace(SERVER, url="https://nodeb:7/", job_start=101)
    assert goes_on_at(monkeypatch, SERVER, [None, None, there]) == ("https://nodeb:7/", ["gpu"])


def test_one_that_got_the_same_address_again_is_not_waited_for_in_vain(monkeypatch):
    assert goes_on_at(monkeypatch, SERVER, [None, replace(SERVER, job_start=101)]) == (SERVER.url, ["gpu"])


def test_one_that_tells_no_start_has_moved_when_its_address_has(monkeypatch):
    older = replace(SERVER, job_start=None)
    there = replace(older, url="https://nodeb:7/")
    assert goes_on_at(monkeypatch, older, [older, older, there]) == ("https://nodeb:7/", ["gpu"])
