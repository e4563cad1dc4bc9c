"""The Jupyter server that a session runs."""

import os
import socket
import time

from jupyter_server.serverapp import WILDCARD_IPS, ServerApp
from traitlets.config import Config

import mlinfn_condor.tls_leftovers  # noqa: F401 - for its effect: a browser may hang up at any moment
from mlinfn_condor.session.folder import Server, SessionFolder
from mlinfn_condor.session.job import Job


class SessionServer(ServerApp):
    """Tells in its session's folder when it answers and when it no longer does."""

    session_folder: SessionFolder
    session_config: Config
    no_browser_open_file = True

    def load_config_file(self, suppress_errors: bool = True) -> None:  # type: ignore[override]
        """Read the user's own Jupyter configuration, then what it must not change."""
        super().load_config_file(suppress_errors)
        self.update_config(self.session_config)

    async def _post_start(self) -> None:
        # The loop calls this after it has bound the port.
        job = Job.around(os.environ)
        url = self.connection_url
        if self.ip in WILDCARD_IPS and job.address:
            # A host's own name may be known to nobody else, as in a pod; its startd is reached at this address.
            url = self._get_urlparts(path=self.base_url, ip=job.address).geturl()
        server = Server(
            url=url,
            port=self.port,
            pid=os.getpid(),
            node=job.node or socket.gethostname(),
            job=job.id,
            devices=[device.id for device in job.devices],
            started=time.time(),
            job_start=job.start,
        )
        self.session_folder.publish(server)
        await super()._post_start()  # type: ignore[no-untyped-call]

    async def _cleanup(self) -> None:
        self.session_folder.withdraw()
        await super()._cleanup()
