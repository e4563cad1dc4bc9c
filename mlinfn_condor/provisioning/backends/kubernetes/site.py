"""What a site says about its cluster. One model, so that one error names every mistake."""

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.backends import NodeRefused
from mlinfn_condor.provisioning.nodes import NodeKind, Trouble
from mlinfn_condor.shipped import shipped

GPU = "nvidia.com/gpu"
_MIG = re.compile(r"-(\d+g\.\d+gb)$", re.IGNORECASE)


class KubernetesSite(BaseModel):
    """`[kubernetes]` of the site's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    """Name of the pool: pods that bear it are ours, and no others are ever touched."""
    namespace: str = ""
    """The pool's own. Empty: the kubeconfig's, or the one that the provisioner's pod runs in."""
    kubeconfig: Path | None = None
    """None: the cluster that the provisioner itself runs in."""
    context: str | None = None
    """Of the kubeconfig; None: its current one."""
    unverified_tls: bool = False
    """True: take any API server's certificate. For test clusters: whoever stands in between has the pool's rights."""
    template: Path = Field(default_factory=lambda: shipped("glidein") / "pod.yaml")
    """The pod manifest that is filled in for each glidein. Its devices, CPUs and memory give way to the kind's."""
    image: str | None = None
    """Instead of the template's."""
    resources: dict[str, str] = {}
    """By device model, what Kubernetes calls one of it: `U250 = "amd.com/xilinx_u250_gen3x16_xdma_base_4-0"`. FPGAs
    need it; of GPUs, only those that are no `nvidia.com/gpu` and no MIG slice whose profile ends the model's name."""
    node_selector: dict[str, dict[str, str]] = {}
    """By kind of node (`*`: all), labels of the machines that it may run on, instead of the template's."""
    tolerations: list[dict[str, Any]] = []
    """Taints of machines that ours may run on all the same."""
    priority_class: str = ""
    """Kubernetes' priority of glideins; empty: its default."""
    opportunistic_priority_class: str = ""
    """The same of opportunistic ones: lower, so that Kubernetes takes their places first."""

    def resource(self, kind: NodeKind) -> str:
        """What Kubernetes calls one device of the kind. Raises NodeRefused where the site has to say."""
        if known := self.resources.get(kind.model):
            return known
        if kind.device_kind is DeviceKind.GPU:
            slice_ = _MIG.search(kind.model)
            return f"nvidia.com/mig-{slice_[1].lower()}" if slice_ else GPU
        raise NodeRefused(
            f"nobody said what Kubernetes calls a {kind.model}: name it in kubernetes.resources "
            "(`kubectl describe node` lists what its machines have)",
            Trouble.STARTUP,
        )
