"""Where a hub that starts anew looks for a session: not where the session's last start was."""

import asyncio
import logging
from dataclasses import replace
from types import SimpleNamespace

import pytest

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
