"""How the window on the pool (`mlinfn_condor/web`) joins JupyterHub: a service with pages for all who are signed in."""

import os
import sys
from pathlib import Path
from typing import Any

NAME = "pool"
"""Its pages lie below /services/pool/."""
ADMIN_SCOPE = "admin-ui"
"""Lets an administrator's token say that it is one."""
_PASSED_ON = ("CONDOR_CONFIG", "PATH", "_CONDOR_SEC_TOKEN_DIRECTORY")


def service(settings: Path, address: str) -> dict[str, Any]:
    """An entry for JupyterHub.services; `address` is where it listens. The hub restarts it when it ends."""
    passed = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("MLINFN_")}
    return {
        "name": NAME,
        "url": address,
        "command": [sys.executable, "-m", "mlinfn_condor.web", "--settings", str(settings)],
        "environment": passed,
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [ADMIN_SCOPE],
        "display": False,  # the page's frame has the link
    }


def roles() -> list[dict[str, Any]]:
    """Entries for JupyterHub.load_roles. JupyterHub's own role of users, and this service opened to them."""
    return [{"name": "user", "scopes": ["self", f"access:services!service={NAME}"]}]
