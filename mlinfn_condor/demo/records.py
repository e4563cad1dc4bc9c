"""What the access points' records say in the end: who displaced whom, and whether a promise was broken."""

import json
from collections.abc import Iterable, Mapping

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.demo.displacements import ATTRIBUTES, Attempt, Displacement, displacements
from mlinfn_condor.demo.outcome import DisplacementOutcome, SessionOutcome, TrainingOutcome
from mlinfn_condor.demo.stage import STORY_JOBS
from mlinfn_condor.demo.terminal import Terminal
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool import ACCESS_POINTS

ALLOWED_LOSS_EPOCHS = 1.0
"""A training saves after each epoch."""


class PromiseBroken(MlinfnError):
    """Something happened that the pool promises not to let happen; the message says what."""


def read(administrator: Terminal, since: int) -> list[Displacement]:
    """Who displaced whom among the story's jobs submitted since then (epoch seconds)."""
    attempts: list[Attempt] = []
    for access_point in ACCESS_POINTS:
        said = administrator.run(
            *("condor_history", "-name", access_point, "-epochs", "-json"),
            *("-attributes", ",".join(ATTRIBUTES), "-constraint", f"{STORY_JOBS} && QDate >= {since}"),
        )
        attempts += [Attempt.from_ad(ad) for ad in json.loads(said or "[]")]
    return displacements(attempts)


def outcomes(found: Iterable[Displacement]) -> list[DisplacementOutcome]:
    """As the story's outcome states them."""
    return [
        DisplacementOutcome(
            str(one.victim.job),
            one.victim.user,
            sorted(one.victim.devices),
            str(one.newcomer.job) if one.newcomer else None,
            one.newcomer.priority_class.value if one.newcomer else None,
            one.newcomer.user if one.newcomer else None,
        )
        for one in found
    ]


def rows(found: Iterable[DisplacementOutcome], labels: Mapping[str, str]) -> list[list[str]]:
    """For a table: who left, which device, for whom."""
    return [
        [
            f"{one.victim} of {one.victim_user}",
            ", ".join(labels.get(device, device) for device in one.devices),
            f"{one.newcomer}, {one.newcomer_class} of {one.newcomer_user}" if one.newcomer else "not recorded",
        ]
        for one in found
    ]


def check(found: Iterable[DisplacementOutcome], session: SessionOutcome, finished: Iterable[TrainingOutcome]) -> None:
    """Raise PromiseBroken unless the session displaced exactly one job, and each displaced one lost at most an epoch.

    How many the Dask workers displaced depends on what was free when they came.
    """
    found = list(found)
    for_session = [one for one in found if one.newcomer_class == PriorityClass.INTERACTIVE]
    if [one.devices for one in for_session] != [session.devices]:
        victims = ", ".join(one.victim for one in for_session) or "nobody"
        raise PromiseBroken(f"{session.job} on {', '.join(session.devices)} should have displaced one job: {victims}")
    if wasted := [one.victim for one in found if one.newcomer is None]:
        raise PromiseBroken(f"displaced for nobody: {', '.join(wasted)}")
    by_job = {training.job: training for training in finished}
    for one in found:
        training = by_job[one.victim]
        if training.resumed < 1 or training.lost_epochs > ALLOWED_LOSS_EPOCHS:
            raise PromiseBroken(
                f"{training.job} was displaced, resumed {training.resumed} times and lost {training.lost_epochs} epochs"
            )
