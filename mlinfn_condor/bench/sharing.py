"""The bench `sharing`: whether contracts are kept. Case `owner`: how soon an owner is on his devices, full of guests.

The window that a victim uses is the victim's own; what counts is what comes on top of it. The cases that play a week
are in `contended`.
"""

import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from mlinfn_condor.bench import acts, contended
from mlinfn_condor.bench.client import Client
from mlinfn_condor.bench.figures import Case, Measured, Target, distribution
from mlinfn_condor.bench.journal import Journal, name_of
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.bench.stand import GPUS, home
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.contracts.render import render
from mlinfn_condor.contracts.settings import parse
from mlinfn_condor.embedded import distribution as installing
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import Timeout
from mlinfn_condor.settings import Settings

NAME = "sharing"
OWNER = "owner"
CASES = (OWNER, *contended.TARGETS)
WANTED, QUICK = 100, 8
TARGET: Target = {"n": (">=", WANTED), "beyond_window_s": ("<=", 5), "failed": ("<=", 0), "wrong_victims": ("<=", 0)}
WINDOW_SECONDS = 2.0
"""What each victim uses of the 30 s that it has."""
RUN_SECONDS = 0.5
IDLE_JOBS = 200
BOUND_SECONDS = 120
LOOK_SECONDS = 0.1
PEOPLE = {"olga": ("alpha",), "gus": ("beta",)}
OWNED = {
    "A30": "GPU-server2-A30-0",
    "A100": "GPU-server2-A100-1",
    "T4": "GPU-server1-T4-3",
    "RTX5000": "GPU-server1-RTX5000-2",
}
"""One of each model, among others' of the same model where there are several."""
CONTRACTS = f"""
[pool]
projects = ["alpha", "beta"]
[pool.nodes.server1]
gpus = {{ T4 = 8, RTX5000 = 5 }}
[pool.nodes.server2]
gpus = {{ A30 = 1, A100 = 2 }}
[owners.alpha]
devices = [{", ".join(f'"{device}"' for device in OWNED.values())}]
"""


@dataclass(frozen=True)
class Stand:
    """The pool, its two users, and what their payloads wrote."""

    owner: Client
    guest: Client
    folder: Path
    journal: Journal


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    told = opening(NAME, CASES, cases, quick=quick)
    installing.ensure(Settings(), report)
    measured = []
    if OWNER in cases:
        with home() as folder, _stand(folder, report) as stand:
            measured.append(Case(OWNER, _owner(stand, QUICK if quick else WANTED, report), TARGET))
    for name, target in contended.TARGETS.items():
        if name in cases:
            measured.append(Case(name, contended.measure(name, report, quick=quick), target))
    return told | {"cases": [case.as_json() for case in measured]}


def _owner(stand: Stand, trials: int, report: Report) -> Measured:
    beyond, failures, wrong = [], [], 0
    with report.step(f"{OWNER}: {trials} jobs of an owner, one after another", trials) as step:
        for _, (model, device) in zip(range(trials), cycle(OWNED.items()), strict=False):
            _wait_until_full(stand)
            description = acts.payload(
                PriorityClass.BATCH, stand.folder, run_seconds=RUN_SECONDS, leave=0.2, model=model
            )
            submitted = stand.owner.call(acts.submit_payload, description, PriorityClass.BATCH.access_point)
            job = name_of(submitted.result, PriorityClass.BATCH)
            try:
                computing = stand.journal.need(job, "computing", BOUND_SECONDS)
                beyond.append(computing.when - submitted.began - WINDOW_SECONDS)
                wrong += computing.devices != (device,)
                stand.journal.need(job, "finished", BOUND_SECONDS)
            except Timeout as error:
                failures.append(str(error))
            step.advance(1)
    figures = distribution(beyond) if beyond else {"n": 0}
    worst = {"beyond_window_s": figures["worst_s"]} if beyond else {}
    return Measured(
        figures | worst | {"failed": len(failures), "wrong_victims": wrong},
        {"beyond_s": [round(value, 3) for value in beyond]},
        failures,
    )


def _wait_until_full(stand: Stand) -> None:
    """Until guests hold every GPU. Raises Timeout."""
    deadline = time.monotonic() + BOUND_SECONDS
    wanted = {(device, PriorityClass.BATCH, False) for device in GPUS}
    while set(stand.guest.call(acts.claimed).result) != wanted:
        if time.monotonic() > deadline:
            raise Timeout(f"guests did not fill the pool within {BOUND_SECONDS} s; a busy machine?")
        time.sleep(LOOK_SECONDS)


@contextmanager
def _stand(folder: Path, report: Report) -> Iterator[Stand]:
    settings = Settings(home=folder, pool="bench")
    blueprint = Blueprint(people=PEOPLE, use_real_devices=False, overrides=render(parse(CONTRACTS, NAME)))
    pool = lifecycle.up(settings, report, blueprint)
    clients: list[Client] = []
    try:
        for user in PEOPLE:
            known = pool.environment(user)
            clients.append(Client(known | {"MLINFN_USER_HOME": str(pool.layout.homes / user)}))
        payloads = pool.layout.folder / "payloads"
        payloads.mkdir()
        owner, guest = clients
        stand = Stand(owner, guest, payloads, Journal(payloads / "journal"))
        guests = acts.payload(
            PriorityClass.BATCH, payloads, run_seconds=1e6, leave=WINDOW_SECONDS, count=len(GPUS) + IDLE_JOBS
        )
        with report.step(f"fill {len(GPUS)} GPUs with guests"):
            stand.guest.call(acts.submit_payload, guests, PriorityClass.BATCH.access_point)
            _wait_until_full(stand)
        yield stand
    finally:
        for client in clients:
            client.close()
        lifecycle.down(settings, graceful_seconds=0)
        shutil.rmtree(pool.layout.folder, ignore_errors=True)
