"""How the window on the pool (`mlinfn_condor/web`) joins JupyterHub: a service with pages for all who are signed in."""

import os
import sys
from pathlib import Path
from typing import Any

from mlinfn_condor.errors import UserError
from mlinfn_condor.hub import hubs_child

NAME = "pool"
"""Its pages lie below /services/pool/."""
ADMIN_SCOPE = "admin-ui"
"""Lets an administrator's token say that it is one."""
_PASSED_ON = ("CONDOR_CONFIG", "PATH", "_CONDOR_SEC_TOKEN_DIRECTORY")
_MANNERS = {
    "oauth_no_confirm": True,
    "oauth_client_allowed_scopes": [ADMIN_SCOPE],
    "display": False,  # the page's frame has the link
}


def service(settings: Path, address: str, token_file: Path | None = None) -> dict[str, Any]:
    """An entry for JupyterHub.services; `address` is where it listens.

    The hub starts it, and again when it ends; with a `token_file` somebody else does. Raises UserError.
    """
    if token_file is not None:
        return {"name": NAME, "url": address, "api_token": secret(token_file), **_MANNERS}
    passed = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("MLINFN_")}
    command = [sys.executable, "-m", "mlinfn_condor.web", "--settings", str(settings)]
    return {"name": NAME, "url": address, "command": command, "environment": passed | hubs_child.told(), **_MANNERS}


def secret(token_file: Path) -> str:
    """What hub and window both know. Raises UserError."""
    try:
        return token_file.read_text().strip()
    except OSError as error:
        raise UserError(f"the window's token: {token_file}: {error.strerror}") from error


def roles() -> list[dict[str, Any]]:
    """Entries for JupyterHub.load_roles. JupyterHub's own role of users, and this service opened to them."""
    return [{"name": "user", "scopes": ["self", f"access:services!service={NAME}"]}]
