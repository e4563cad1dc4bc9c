"""How a session configures JupyterLab; it overrides what the user's own Jupyter configuration says about the same."""

import sys
from pathlib import Path

from traitlets.config import Config

WATCHING = "mlinfn_condor.session.watching"
LABEXTENSIONS = Path(__file__).parent / "labextension"
TERMINAL = [sys.executable, "-m", "mlinfn_condor.session.terminal"]


def configuration(token: str, root: Path, ip: str) -> Config:
    """A server on a free port of this address that lets in whoever has the token, and tells nobody that it exists."""
    config = Config()
    config.ServerApp.ip = ip
    config.ServerApp.port = 0
    config.ServerApp.port_retries = 50
    config.ServerApp.root_dir = str(root)
    config.ServerApp.open_browser = False
    config.ServerApp.allow_root = False
    config.ServerApp.allow_remote_access = False
    config.ServerApp.allow_unauthenticated_access = False
    config.ServerApp.terminado_settings = {"shell_command": TERMINAL}
    config.ServerApp.default_url = "/lab"
    # Language servers cost time at the start, and a session has none unless its user installs one.
    config.ServerApp.jpserver_extensions = {"jupyterlab": True, "jupyter_lsp": False, WATCHING: True}
    config.IdentityProvider.token = token
    config.PasswordIdentityProvider.hashed_password = ""
    config.PasswordIdentityProvider.allow_password_change = False
    config.KernelProvisionerFactory.default_provisioner_name = "mlinfn-device-provisioner"
    # Kernels talk over the node's loopback, which its users share: without this they could read each other's output.
    config.KernelManager.transport_encryption = "auto"
    # Seconds for kernels to end at the end of the session: who ends a session does not want to wait for a loop.
    config.KernelManager.shutdown_wait_time = 1.0
    # No calls home: no news, no look for updates, no catalogue of extensions. The page's own question whether somebody
    # wants news does not ask for the address of news; our extension switches that part of the page off.
    config.LabApp.news_url = None
    config.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
    config.LabApp.extension_manager = "readonly"
    config.LabApp.extra_labextensions_path = [str(LABEXTENSIONS)]
    return config
