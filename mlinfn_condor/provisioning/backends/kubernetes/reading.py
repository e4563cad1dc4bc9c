"""What a pod tells about the glidein in it: pure."""

import json

from mlinfn_condor.glidein.outcome import Exit
from mlinfn_condor.kube import Pod, PodPhase
from mlinfn_condor.provisioning.backends.kubernetes import labels
from mlinfn_condor.provisioning.nodes import Glidein, Phase, Trouble

TROUBLE = {
    "ImagePullBackOff": Trouble.IMAGE,
    "ErrImageNeverPull": Trouble.IMAGE,
    "ImageInspectError": Trouble.IMAGE,
    "InvalidImageName": Trouble.IMAGE,
    "RegistryUnavailable": Trouble.IMAGE,
    "SignatureValidationFailed": Trouble.IMAGE,
    "CreateContainerConfigError": Trouble.STARTUP,
    "CreateContainerError": Trouble.STARTUP,
    "PostStartHookError": Trouble.STARTUP,
    "RunContainerError": Trouble.STARTUP,
    "ContainerCannotRun": Trouble.STARTUP,
    "StartError": Trouble.STARTUP,
    "CrashLoopBackOff": Trouble.STARTUP,
    "Evicted": Trouble.NODE,
    "NodeAffinity": Trouble.NODE,
    "NodeLost": Trouble.NODE,
    "NodeShutdown": Trouble.NODE,
    "Shutdown": Trouble.NODE,
    "Terminated": Trouble.NODE,
    "Preempting": Trouble.NODE,
    "UnexpectedAdmissionError": Trouble.NODE,
}
"""Kubernetes' words for what does not mend itself. `ErrImagePull` is not among them: it is the first try that failed,
and `ImagePullBackOff` follows; nor is `Unschedulable`: an autoscaler may be making the machine."""
OUT_OF = "OutOf"
"""How the kubelet's refusals begin when its machine has less than the scheduler thought: `OutOfcpu`."""
ENDED = {Exit.IDLE: "nobody claimed it", Exit.RETIRED: "it was drained", Exit.TERMINATED: "it was told to end"}
EXIT_TROUBLE = {Exit.STARTUP: Trouble.STARTUP, Exit.JOIN: Trouble.POOL, Exit.CRASHED: Trouble.NODE}
"""Exit codes of the entrypoint; all others are UNKNOWN."""


def glidein(pod: Pod) -> Glidein:
    """The glidein, with its trouble by cause."""
    phase, trouble, detail = _state(pod)
    return Glidein(
        name=pod.name,
        kind=pod.labels.get(labels.KIND, ""),
        phase=phase,
        since=pod.created,
        trouble=trouble,
        detail=detail,
        uid=pod.uid,
        running_since=pod.started,
        warm=pod.labels.get(labels.WARM) == "true",
    )


def _state(pod: Pod) -> tuple[Phase, Trouble | None, str]:
    words = _words(pod)
    if pod.disrupted:
        return Phase.FAILED, Trouble.NODE, words
    trouble = Trouble.NODE if pod.reason.startswith(OUT_OF) else TROUBLE.get(pod.reason)
    match pod.phase:
        case PodPhase.SUCCEEDED:
            return Phase.ENDED, None, words or ENDED[Exit.IDLE]
        case PodPhase.FAILED if trouble is None and pod.exit_code in ENDED:
            return Phase.ENDED, None, words or ENDED[Exit(pod.exit_code)]
        case PodPhase.FAILED:
            return Phase.FAILED, trouble or _by_exit(pod.exit_code), words
        case _ if pod.leaving is not None:
            return Phase.LEAVING, None, "it was told to end"
        case _ if trouble is not None:
            return Phase.FAILED, trouble, words
        case PodPhase.PENDING:
            return Phase.ASKED, None, words
        case _:
            return Phase.RUNNING, None, words


def _by_exit(code: int | None) -> Trouble:
    return EXIT_TROUBLE[Exit(code)] if code in set(EXIT_TROUBLE) else Trouble.UNKNOWN


def _words(pod: Pod) -> str:
    """The entrypoint's last words if it left some, else Kubernetes' own."""
    try:
        last = json.loads(pod.message)
    except ValueError:
        last = None
    if isinstance(last, dict) and isinstance(last.get("detail"), str):
        return str(last["detail"])
    told = [part for part in (pod.reason, pod.message) if part and part not in ("Error", "Completed")]
    where = f" on {pod.node}" if pod.node and told and pod.disrupted else ""
    code = f"it ended with exit code {pod.exit_code}" if pod.exit_code and not told else ""
    return ": ".join(told) + where or code
