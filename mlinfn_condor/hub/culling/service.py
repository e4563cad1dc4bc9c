"""How the culler joins JupyterHub: a service that the hub starts, and a role that holds just what it needs."""

import sys
from pathlib import Path
from typing import Any

from mlinfn_condor.hub import hubs_child

NAME = "mlinfn-culler"
SCOPES = ("list:users", "read:users:name", "read:servers", "admin:server_state", "servers")
"""`servers` starts and stops; `admin:server_state` tells where a session's folder is."""


def service(settings: Path) -> dict[str, Any]:
    """An entry for JupyterHub.services; `settings` is the hub's settings file. The hub restarts it when it ends."""
    command = [sys.executable, "-m", "mlinfn_condor.hub.culling", "--settings", str(settings)]
    return {"name": NAME, "command": command, "environment": hubs_child.told()}


def roles() -> list[dict[str, Any]]:
    """Entries for JupyterHub.load_roles."""
    return [{"name": NAME, "services": [NAME], "scopes": list(SCOPES)}]
