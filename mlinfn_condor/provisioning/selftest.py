"""Does this place provide nodes that jobs run on? One glidein is started, one job runs on it, both are cleared away.

Each step is told in words, and each failure with its cure. What a test with stand-ins cannot show, this does.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.errors import JobEnded, JobHeld, JobNotFound, JobRefused, MlinfnError, PoolUnavailable, Timeout
from mlinfn_condor.kube import RIGHTS, Kube, KubeDenied, KubeUnavailable
from mlinfn_condor.pool import JobId, JobState, Pool
from mlinfn_condor.provisioning.backends import Backend, BackendUnavailable, NodeRefused
from mlinfn_condor.provisioning.backends.kubernetes import KubernetesSite, connect_to, open_backend
from mlinfn_condor.provisioning.nodes import Glidein, NodeKind, Phase, Trouble
from mlinfn_condor.submission import templates
from mlinfn_condor.submission.phrases import span

CURE = {
    Trouble.IMAGE: "push the image, or name one that the cluster can pull (kubernetes.image); a registry that asks who "
    "it is needs imagePullSecrets in the pod's template",
    Trouble.QUOTA: "ask for a larger quota of the namespace, or take a smaller kind (--kind)",
    Trouble.NODE: "its machine went away or was needed for others: try again, or choose other machines "
    "(kubernetes.node_selector)",
    Trouble.POOL: "the pod must reach the collector (address, port, network policy), and its token must be one that "
    "this pool signed: docs/glidein.md",
    Trouble.STARTUP: "mend what it says; docs/glidein.md has the table of what a glidein is told",
    Trouble.UNKNOWN: "look at the pod's log: kubectl logs POD",
}
WAITING = (
    "nothing free fits it: compare what the kind asks for with `kubectl describe nodes`, and see whether an autoscaler "
    "may add a machine"
)
UNSEEN = (
    "the pod runs, but the collector does not know it: the pod must reach the collector, access points must reach the "
    "pod, and both ends must agree on the pool's name; the pod's log says more"
)
UNTAKEN = "the pool gave the job no slot there: `mlinfn why JOB` says why while the job waits"

LEFT_SECONDS = 7200
"""Older than this, a selftest's pod was left by one that was killed."""


class SelftestFailed(MlinfnError):
    """This place does not provide nodes that jobs run on; the message says at which step, why, and what to do."""

    page = "docs/operations.md#check-on-a-real-cluster"


@dataclass(frozen=True)
class Limits:
    """How long each step may take, in seconds."""

    start: float = 1200
    """Machines take ten minutes in a cloud, and large images some more."""
    join: float = 180
    job: float = 180
    leave: float = 300
    """Removed glideins have their grace period."""
    pause: float = 1.0
    """Between two looks."""


class Selftest:
    """One run. Whatever happens, what it made is cleared away."""

    def __init__(
        self,
        backend: Backend,
        pool: Pool,
        kind: NodeKind,
        folder: Path,
        *,
        owner: str = "",
        say: Callable[[str], None],
        explain: Callable[[str], list[str]] | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`folder`: of the access point, for the job's event log. `owner`: in whose name the job is, which keeps no log
        then. `explain`: the place's own words on a glidein.
        """
        self._backend, self._pool, self._kind, self._folder, self._owner = backend, pool, kind, folder, owner
        self._say, self._explain = say, explain or (lambda _: [])
        self._limits, self._clock, self._sleep = limits or Limits(), clock, sleep
        self.name = f"{kind.name}-selftest-{secrets.token_hex(3)}"

    def run(self) -> None:
        """Start, join, run a job, clear away. Raises SelftestFailed."""
        try:
            self._start()
            found = self._wait_until_it_runs()
            self._wait_until_it_joins(found)
            self._run_job(found)
        finally:
            self._clear_away()
        self._say("everything works")

    def _start(self) -> None:
        self._say(f"asking for {self.name}, a node of kind {self._kind.name}")
        try:
            self._backend.start(self.name, self._kind)
        except NodeRefused as error:
            raise SelftestFailed(f"it was refused: {error}. {_cure(error.trouble)}") from error
        except BackendUnavailable as error:
            raise SelftestFailed(f"it could not be asked for: {error}") from error

    def _wait_until_it_runs(self) -> Glidein:
        told = ""
        for _ in self._looks(self._limits.start):
            found = self._find()
            if found is None:
                raise SelftestFailed(
                    "somebody removed it before it ran: is there a provisioner that does not know its kind?"
                )
            if found.phase is Phase.RUNNING:
                self._say("its container runs")
                return found
            self._insist_that_it_lives(found)
            if found.detail != told:
                told = found.detail
                self._say(f"it waits: {told}")
        raise SelftestFailed(f"it does not run after {span(self._limits.start)} ({self._words(told)}): {WAITING}")

    def _wait_until_it_joins(self, found: Glidein) -> None:
        for _ in self._looks(self._limits.join):
            with suppress(PoolUnavailable):
                if self._pool.slots(_slots_of(found), ["MlinfnGlideinUid"]):
                    self._say("the collector knows its slots")
                    return
            now = self._find()
            if now is None or now.uid != found.uid:
                raise SelftestFailed("it was removed before it joined the pool: by whom, its cluster's events say")
            self._insist_that_it_lives(now)
        raise SelftestFailed(f"it has not joined after {span(self._limits.join)}: {UNSEEN}")

    def _run_job(self, found: Glidein) -> None:
        whose = {"owner": self._owner} if self._owner else {"folder": str(self._folder)}
        description = templates.load("glidein-selftest").fill({"uid": found.uid} | whose)
        try:
            job = self._pool.submit(description, "batch@")
        except (JobRefused, PoolUnavailable) as error:
            raise SelftestFailed(f"the access point did not take the job: {error}") from error
        self._say(f"job {job} waits for its slot")
        try:
            self._pool.wait_for(job, JobState.COMPLETED, self._limits.job)
        except Timeout as error:
            raise SelftestFailed(f"{error}: {UNTAKEN}") from error
        except (JobHeld, JobEnded, PoolUnavailable) as error:
            raise SelftestFailed(f"the job did not run to its end: {error}") from error
        finally:
            self._remove_job(job)
        self._say(f"job {job} ran there to its end")

    def _insist_that_it_lives(self, found: Glidein) -> None:
        if found.phase in (Phase.ASKED, Phase.RUNNING):
            return
        raise SelftestFailed(f"it {found.phase}: {self._words(found.detail)}. {_cure(found.trouble)}")

    def _words(self, detail: str) -> str:
        """What is known of it, with the place's own last words."""
        told: list[str] = []
        with suppress(BackendUnavailable):
            told = self._explain(self.name)[-2:]
        return "; ".join(dict.fromkeys(filter(None, [detail, *told]))) or "nobody says why"

    def _clear_away(self) -> None:
        self._say(f"removing {self.name}")
        for _ in self._looks(self._limits.leave):
            with suppress(BackendUnavailable):
                self._backend.remove([self.name])
                if not any(one.name == self.name for one in self._backend.glideins()):
                    return
        self._say(
            f"{self.name} is still there after {span(self._limits.leave)}: remove it by hand (kubectl delete pod)"
        )

    def _remove_job(self, job: JobId) -> None:
        with suppress(JobNotFound, JobRefused, PoolUnavailable):
            self._pool.remove(job, "the selftest is over")

    def _find(self) -> Glidein | None:
        with _unavailable():
            return next((one for one in self._backend.glideins() if one.name == self.name), None)

    def _looks(self, seconds: float) -> Iterator[None]:
        """One at once, then one after each pause, until the time is over."""
        until = self._clock() + seconds
        yield
        while self._clock() < until:
            self._sleep(self._limits.pause)
            yield


def on_kubernetes(
    site: KubernetesSite,
    pool: Pool,
    kind: NodeKind,
    folder: Path,
    say: Callable[[str], None],
    *,
    owner: str = "",
    kube: Kube | None = None,
    limits: Limits | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Try a cluster, beside whatever provisioner runs there: its pod bears a pool's name of its own.

    Raises SelftestFailed; UserError and BadRequest for settings that cannot be used.
    """
    apart = site.model_copy(update={"pool": f"{site.pool[:54]}-selftest"})
    gate = kube or connect_to(site)
    try:
        missing = sorted(f"{verb} {resource}" for resource, verb in RIGHTS if not gate.may(verb, resource))
    except (KubeUnavailable, KubeDenied) as error:
        raise SelftestFailed(f"the cluster does not answer: {error}") from error
    if missing:
        raise SelftestFailed(
            f"in namespace {gate.namespace} we may not {', '.join(missing)}: "
            f"kubectl apply --namespace {gate.namespace} --filename glidein/kubernetes/rights.yaml"
        )
    say(f"the cluster answers, and we have every right that is needed in namespace {gate.namespace}")
    backend = open_backend(apart, gate)
    _clear_leftovers(backend, say)
    Selftest(
        backend,
        pool,
        kind,
        folder,
        owner=owner,
        say=say,
        explain=backend.explain,
        limits=limits,
        clock=clock,
        sleep=sleep,
    ).run()


def _clear_leftovers(backend: Backend, say: Callable[[str], None]) -> None:
    """Of selftests that were killed; one that runs at the same time is not touched."""
    with _unavailable():
        old = [one.name for one in backend.glideins() if time.time() - one.since > LEFT_SECONDS]
        if old:
            say(f"removing what an earlier selftest left: {', '.join(old)}")
            backend.remove(old)


def _cure(trouble: Trouble | None) -> str:
    cure = CURE[trouble or Trouble.UNKNOWN]
    return cure[0].upper() + cure[1:]


def _slots_of(found: Glidein) -> str:
    return f'MlinfnGlideinUid == "{found.uid}"'


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except BackendUnavailable as error:
        raise SelftestFailed(f"the place does not answer any more: {error}") from error
