"""What provides nodes: Kubernetes, this machine, an administrator; all behind one small interface."""

from mlinfn_condor.provisioning.backends.protocol import Backend, BackendUnavailable, NodeRefused

__all__ = ["Backend", "BackendUnavailable", "NodeRefused"]
