"""The dashboards of Dask schedulers in a session's kernels, behind the hub's proxy.

They listen on the node's loopback. jupyter-server-proxy hands requests on to them, after the session's server has made
sure that they are its user's. Without it nothing is offered, and nothing is said of a link.
"""

from collections.abc import MutableMapping
from importlib.util import find_spec

EXTENSION = "jupyter_server_proxy"
VARIABLE, LINK = "DASK_DISTRIBUTED__DASHBOARD__LINK", "{JUPYTERHUB_SERVICE_PREFIX}proxy/{port}/status"
"""Dask's own setting, and what it becomes: Dask fills in the port and what stands in the environment."""


def offered(environment: MutableMapping[str, str]) -> dict[str, bool]:
    """The server extension to load, if the node has it; kernels are told the link by it, unless a site told another."""
    if find_spec(EXTENSION) is None:
        return {}
    environment.setdefault(VARIABLE, LINK)
    return {EXTENSION: True}
