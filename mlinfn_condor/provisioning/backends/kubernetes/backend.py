"""Glideins as pods of one namespace: the back end `kubernetes`."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from mlinfn_condor.kube import (
    AlreadyExists,
    Json,
    Kube,
    KubeDenied,
    KubeRefused,
    KubeUnavailable,
    Pod,
    QuotaExceeded,
)
from mlinfn_condor.provisioning.backends import BackendUnavailable, NodeRefused
from mlinfn_condor.provisioning.backends.kubernetes import labels
from mlinfn_condor.provisioning.backends.kubernetes.following import Following
from mlinfn_condor.provisioning.backends.kubernetes.leading import LeaseLeader
from mlinfn_condor.provisioning.backends.kubernetes.manifest import fill
from mlinfn_condor.provisioning.backends.kubernetes.reading import glidein
from mlinfn_condor.provisioning.backends.kubernetes.site import KubernetesSite
from mlinfn_condor.provisioning.nodes import Glidein, NodeKind, Trouble

STUCK_SECONDS = 120
"""A pod that should be gone for so long is taken away by force: nobody on its machine will confirm its end."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class AnotherLeads(BackendUnavailable):
    """Another provisioner of the same pool acts; this one waits, and takes over when that one is gone."""


class KubernetesBackend:
    """See Backend. All state is in the pods' labels: killed at any point and started again, it finds what there is."""

    def __init__(
        self,
        kube: Kube,
        site: KubernetesSite,
        template: Json,
        *,
        following: Following | None = None,
        leader: LeaseLeader | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`following`: without, every look lists. `leader`: acts only while it leads; without, whoever else does."""
        self._kube, self._site, self._template, self._clock = kube, site, template, clock
        self._following = following or Following(kube, labels.selector(site.pool), watch=False)
        self._leader = leader
        self._term = 0

    @property
    def name(self) -> str:
        """See Backend."""
        return "kubernetes"

    def glideins(self) -> list[Glidein]:
        """See Backend. Costs no call while nothing happens."""
        with _told():
            if self._leader is not None and self._leader.term != self._term:
                self._term = self._leader.term
                self._following.forget()  # what the one before did last may not have reached our watch
            return [glidein(pod) for pod in self._following.pods()]

    def start(self, name: str, kind: NodeKind, *, warm: bool = False) -> None:
        """See Backend."""
        if not _NAME.fullmatch(name):
            raise NodeRefused(
                f"no pod can be called {name!r}: small letters, digits and '-', at most 63", Trouble.STARTUP
            )
        pod = fill(self._template, name, kind, self._site, warm=warm)
        with _told():
            if any(known.name == name for known in self._following.pods()):
                return
            with self._following.writing() as keep:
                self._insist()
                try:
                    keep(self._kube.create_pod(pod))
                except AlreadyExists:
                    self._adopt(name, keep)
                except QuotaExceeded as error:
                    raise NodeRefused(str(error), Trouble.QUOTA) from error
                except KubeRefused as error:
                    raise NodeRefused(str(error), Trouble.STARTUP) from error

    def remove(self, names: Iterable[str]) -> None:
        """See Backend. A pod that is on its way out is left in peace until its time is long over."""
        wanted = set(names)
        with _told():
            going = [pod for pod in self._following.pods() if pod.name in wanted] if wanted else []
            for pod in going:
                due, grace = _removal(pod, self._clock())
                if not due:
                    continue
                with self._following.writing() as keep:
                    self._insist()
                    left = self._kube.delete_pod(pod, grace)
                    if left is not None:
                        keep(left)

    def explain(self, name: str) -> list[str]:
        """What scheduler, kubelet and autoscaler said about this glidein, oldest first; nothing once it is gone."""
        with _told():
            pod = self._kube.pod(name)
            events = self._kube.pod_events(pod) if pod is not None else []
        return [f"{event.reason}: {event.message}" for event in events]

    def close(self) -> None:
        """Stop watching."""
        self._following.close()

    def _adopt(self, name: str, keep: Callable[[Pod], None]) -> None:
        """There is one of this name: another turn's, another provisioner's, or our own whose answer was lost."""
        there = self._kube.pod(name)
        if there is None:
            return  # gone in the same moment: the next turn sees
        if there.labels.get(labels.MANAGED_BY) != labels.US or there.labels.get(labels.POOL) != self._site.pool:
            raise NodeRefused(
                f"namespace {self._kube.namespace} has a pod {name} that is not of pool {self._site.pool}: "
                "give each pool a namespace of its own",
                Trouble.STARTUP,
            )
        keep(there)

    def _insist(self) -> None:
        """Before every write: nobody acts who does not lead, or did when his turn began and was held up."""
        if self._leader is not None and not self._leader.may_act:
            holder = self._leader.holder
            raise AnotherLeads(
                f"provisioner {holder} leads this pool; this one waits"
                if holder not in ("", self._leader.me)
                else "no provisioner leads this pool at the moment; this one tries to"
            )


def _removal(pod: Pod, now: float) -> tuple[bool, int | None]:
    """Whether to delete it now, and with which grace period (None: its own). Pure."""
    if pod.leaving is None:
        return True, None
    return now > pod.leaving + STUCK_SECONDS, 0


@contextmanager
def _told() -> Iterator[None]:
    """The gate's errors as those of a back end."""
    try:
        yield
    except (KubeUnavailable, KubeDenied, KubeRefused) as error:
        raise BackendUnavailable(str(error)) from error
