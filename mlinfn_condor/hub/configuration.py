"""JupyterHub's configuration, from the hub's settings: `configure(get_config(), Path("hub.toml"))`."""

import os
from pathlib import Path
from typing import Any

from mlinfn_condor.hub import culling, page
from mlinfn_condor.hub import accounts as account_keeping
from mlinfn_condor.hub.settings import HubSettings, read

SERVERS_PER_USER = 0
"""JupyterHub's own limit, 0 meaning none: `[limits]` says how many, with a reason."""


def configure(config: Any, settings_file: Path) -> None:
    """Fill in a JupyterHub configuration object; what a site sets after that wins."""
    settings = read(settings_file)
    _addresses(config, settings)
    _sessions(config, settings, settings_file)
    _survival(config)
    _sign_in(config, settings)
    _pages(config)
    _services(config, settings_file)


def _addresses(config: Any, settings: HubSettings) -> None:
    config.JupyterHub.bind_url = settings.addresses.public
    config.JupyterHub.hub_bind_url = settings.addresses.hub
    config.JupyterHub.hub_connect_url = settings.addresses.hub
    config.JupyterHub.db_url = f"sqlite:///{settings.folder}/jupyterhub.sqlite"
    config.JupyterHub.cookie_secret_file = f"{settings.folder}/cookie-secret"
    config.ConfigurableHTTPProxy.api_url = settings.addresses.proxy_api


def _sessions(config: Any, settings: HubSettings, settings_file: Path) -> None:
    config.JupyterHub.spawner_class = "mlinfn_condor.hub.CondorSpawner"
    config.JupyterHub.allow_named_servers = True
    config.JupyterHub.named_server_limit_per_user = SERVERS_PER_USER
    # The progress page from the first moment: it tells what happens, and a spinning browser does not.
    config.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
    config.PoolWatch.hub_name = settings.name
    config.Platform.settings_file = str(settings_file)
    config.CondorSpawner.homes = settings.sessions.homes
    config.CondorSpawner.session_ip = settings.sessions.ip
    config.CondorSpawner.session_path = settings.sessions.path
    config.CondorSpawner.session_environment = dict(settings.sessions.environment)
    config.CondorSpawner.queue_timeout = settings.sessions.queue_timeout_seconds
    # Nothing of the hub's own environment reaches a session.
    config.CondorSpawner.env_keep = []
    config.CondorSpawner.default_url = "/lab"


def _survival(config: Any) -> None:
    """Hub, proxy and sessions live and die apart; whoever comes back finds the others."""
    config.ConfigurableHTTPProxy.should_start = False
    config.JupyterHub.cleanup_servers = False
    config.JupyterHub.cleanup_proxy = False
    # A proxy that was started anew knows no routes: the hub looks this often and gives them again.
    config.JupyterHub.proxy_check_interval = 2000
    # The job's end is told at once by the one look at the queue; JupyterHub's own question is only a second net.
    config.Spawner.poll_interval = 60


def _sign_in(config: Any, settings: HubSettings) -> None:
    account_keeping.configure(config, settings)


def _pages(config: Any) -> None:
    page.configure(config)


def _services(config: Any, settings_file: Path) -> None:
    environment = {"MLINFN_HUB_SETTINGS": str(settings_file)} | {
        name: os.environ[name] for name in ("CONDOR_CONFIG", "PATH") if name in os.environ
    }
    config.JupyterHub.services = [culling.service(environment), account_keeping.service(environment)]
    config.JupyterHub.load_roles = [culling.role(), account_keeping.role()]
