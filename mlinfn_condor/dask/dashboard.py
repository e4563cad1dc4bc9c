"""Where a person in a session finds the dashboard: behind the hub's proxy, for it listens on loopback only."""

from collections.abc import Mapping


def link(environment: Mapping[str, str]) -> str | None:
    """The template of Dask's `distributed.dashboard.link`; None where no hub started this process.

    The path is that of jupyter-server-proxy in the session's own server, which takes nobody but its user.
    """
    prefix = environment.get("JUPYTERHUB_SERVICE_PREFIX")
    return f"{prefix.rstrip('/')}/proxy/{{port}}/status" if prefix else None
