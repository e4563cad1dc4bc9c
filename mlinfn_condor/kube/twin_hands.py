"""What schedulers, kubelets and controllers do to the pods of a cluster in memory, when a test says so."""

from typing import Any

from mlinfn_condor.kube.api import Json
from mlinfn_condor.kube.twin import TwinCluster
from mlinfn_condor.kube.twin_objects import stamp


class TwinHands:
    """Each method is one thing that a real cluster does to a pod."""

    def __init__(self, cluster: TwinCluster) -> None:
        self._cluster = cluster

    def run(self, name: str, node: str = "node-1") -> None:
        """It is scheduled, and its container runs."""
        with self._cluster.changed:
            pod = self._cluster.pod(name)
            pod["spec"]["nodeName"] = node
            running = {"running": {"startedAt": stamp(self._cluster.now)}}
            pod["status"] = {"phase": "Running", "containerStatuses": [_container(running)]}
            self._cluster.change(name)

    def finish(self, name: str, code: int = 0, reason: str = "", message: str = "") -> None:
        """Its container ends with this exit code."""
        ended: Json = {"exitCode": code, "reason": reason or ("Completed" if code == 0 else "Error")}
        if message:
            ended["message"] = message
        phase = "Succeeded" if code == 0 else "Failed"
        self._status(name, phase=phase, containerStatuses=[_container({"terminated": ended})])

    def wait(self, name: str, reason: str, message: str = "", node: str = "node-1") -> None:
        """Its container cannot start (yet): `ContainerCreating`, `ImagePullBackOff` …"""
        with self._cluster.changed:
            self._cluster.pod(name)["spec"]["nodeName"] = node
        waiting = {"waiting": {"reason": reason, "message": message}}
        self._status(name, containerStatuses=[_container(waiting)])

    def find_no_place(
        self, name: str, message: str = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    ) -> None:
        """The scheduler has no node for it."""
        unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        self._status(name, conditions=[unscheduled])

    def evict(self, name: str, message: str = "The node was low on resource: memory.") -> None:
        """The kubelet ends it because its node has too little of something."""
        self._status(name, phase="Failed", reason="Evicted", message=message)

    def lose_node(self, node: str) -> list[str]:
        """A machine does not answer any more: its pods are to be deleted, and nobody there can confirm it."""
        with self._cluster.changed:
            hit = [
                name for name in self._cluster.pod_names() if self._cluster.pod(name)["spec"].get("nodeName") == node
            ]
            for name in hit:
                pod = self._cluster.pod(name)
                pod["metadata"] |= {
                    "deletionTimestamp": stamp(self._cluster.now + 30),
                    "deletionGracePeriodSeconds": 30,
                }
                words = f"Taint manager: deleting due to NoExecute taint ({node})"
                why = {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "DeletionByTaintManager",
                    "message": words,
                }
                self._status(name, conditions=[why])
        return hit

    def vanish(self, name: str) -> None:
        """The kubelet confirms that it has ended; the object goes."""
        self._cluster.drop(name)

    def _status(self, name: str, **status: Any) -> None:
        with self._cluster.changed:
            pod = self._cluster.pod(name)
            pod["status"] = pod["status"] | status
            self._cluster.change(name)


def _container(state: Json) -> Json:
    ready = "running" in state
    return {"name": "glidein", "image": "glidein:1", "imageID": "", "ready": ready, "restartCount": 0, "state": state}
