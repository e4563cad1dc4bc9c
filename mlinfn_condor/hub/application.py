"""JupyterHub itself, where its own version cannot be used as it is."""

import ssl
from typing import Any

from jupyterhub.app import JupyterHub

import mlinfn_condor.tls_leftovers  # noqa: F401 - for its effect: hundreds of connections in one thread


class Hub(JupyterHub):  # type: ignore[misc]  # jupyterhub has no types
    """All its settings are JupyterHub's."""

    async def start_service(self, service_name: str, service: Any, ssl_context: ssl.SSLContext | None = None) -> bool:
        """Start one of the hub's services; False: it cannot be started, and the hub ends.

        JupyterHub 6.1 gives the context in which the hub itself listens, and nobody can call anybody in it: a service
        with pages never seems to answer behind TLS. Without one, JupyterHub makes that of a client. And pages that do
        not answer are no reason to end a hub: JupyterHub starts a service anew whenever it ends.
        """
        ready = bool(await super().start_service(service_name, service))
        return ready or bool(service.url)
