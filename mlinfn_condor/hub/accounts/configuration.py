"""Sign-in, from the hub's settings to JupyterHub's configuration."""

from pathlib import Path
from typing import Any

from mlinfn_condor.hub.accounts.settings import AccountSettings

_PACKAGE = "mlinfn_condor.hub.accounts"


def configure(config: Any, folder: Path, settings: AccountSettings) -> None:
    """Fill in who signs people in; `folder` is that of the accounts. No secret is in here, only where one lies."""
    if settings.openid is None:
        config.JupyterHub.authenticator_class = f"{_PACKAGE}.local.LocalAuthenticator"
        config.LocalAuthenticator.failures_per_minute = settings.failures_per_minute
    else:
        config.JupyterHub.authenticator_class = f"{_PACKAGE}.openid_sign_in.OpenIdAuthenticator"
        config.OpenIdAuthenticator.openid = settings.openid
    config.AccountedAuthenticator.folder = str(folder)
    config.AccountedAuthenticator.auth_refresh_age = settings.recheck_seconds
