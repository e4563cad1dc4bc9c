"""Where a person finds the dashboard, which listens on loopback only.

In a session that is behind the hub's proxy: jupyter-server-proxy, in the session's own server, hands on to it what the
session's user asks for, and nobody else. The session says so in Dask's own variable (`session/dashboards.py`), so that
plain HTCondorCluster and LocalCluster have it, too.
"""

from collections.abc import Mapping

from mlinfn_condor.errors import MlinfnError

DASKS_OWN = "{scheme}://{host}:{port}/status"
"""Dask's default of `distributed.dashboard.link`: nobody has said anything."""
ON_THIS_MACHINE = "{scheme}://127.0.0.1:{port}/status"
PROXIED = "{JUPYTERHUB_SERVICE_PREFIX}proxy/{port}/status"

NO_PAGES = "No dashboard: it needs bokeh where the scheduler runs (pip install bokeh)."
NO_PROXY = (
    "No link to the dashboard: the session's server has no jupyter-server-proxy, through which the hub would show it. "
    "The node's administrator adds it (the extra `session` has it)."
)


class NoDashboard(MlinfnError):
    """A link would lead nowhere; the message says what is missing."""

    page = "docs/dask.md#the-dashboard"


def link(environment: Mapping[str, str], said: str, *, bokeh: bool, proxy: bool) -> str:
    """The template of the link: what somebody `said` in Dask's configuration, else where the dashboard can be reached.

    `bokeh` and `proxy`: whether these are installed beside the scheduler. Raises NoDashboard.
    """
    if not bokeh:
        raise NoDashboard(NO_PAGES)
    if said != DASKS_OWN:
        return said
    if "JUPYTERHUB_SERVICE_PREFIX" not in environment:
        return ON_THIS_MACHINE
    if not proxy:
        raise NoDashboard(NO_PROXY)
    return PROXIED
