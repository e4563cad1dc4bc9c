"""JupyterHub's configuration, from the hub's settings: `configure(get_config(), Path("hub.toml"))`."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlinfn_condor.hub import accounts, window
from mlinfn_condor.hub.culling import service as culling
from mlinfn_condor.hub.page.form import TEMPLATES
from mlinfn_condor.hub.page.handlers import HANDLERS
from mlinfn_condor.hub.platform import Platform
from mlinfn_condor.hub.settings import HubSettings, read

SERVERS_PER_USER = 0
"""JupyterHub's own limit, 0 meaning none: `[limits]` says how many, with a reason."""


def configure(config: Any, settings_file: Path) -> None:
    """Fill in a JupyterHub configuration object; what a site sets after that wins."""
    settings = read(settings_file)
    _addresses(config, settings)
    _sessions(config, settings)
    _survival(config)
    accounts.configure(config, settings.accounts_folder, settings.accounts)
    _pages(config, settings_file)
    _services(config, settings, settings_file)


def _addresses(config: Any, settings: HubSettings) -> None:
    config.JupyterHub.bind_url = settings.addresses.public
    config.JupyterHub.hub_bind_url = settings.addresses.hub_url
    config.JupyterHub.hub_connect_url = settings.addresses.hub_url
    config.JupyterHub.internal_ssl = settings.addresses.internal_tls
    config.JupyterHub.internal_certs_location = str(settings.certificates_folder)
    # Hub and proxy may be on machines of their own: each is reached by its name, which its certificate has to have.
    hosts = (
        urlsplit(address).hostname or "localhost" for address in (settings.addresses.hub, settings.addresses.proxy_api)
    )
    config.JupyterHub.trusted_alt_names = list(dict.fromkeys(map(_alternative_name, hosts)))
    config.JupyterHub.db_url = f"sqlite:///{settings.folder}/jupyterhub.sqlite"
    config.JupyterHub.cookie_secret_file = f"{settings.folder}/cookie-secret"
    config.ConfigurableHTTPProxy.api_url = settings.addresses.proxy_api_url


def _sessions(config: Any, settings: HubSettings) -> None:
    config.JupyterHub.spawner_class = "mlinfn_condor.hub.CondorSpawner"
    config.JupyterHub.allow_named_servers = True
    config.JupyterHub.named_server_limit_per_user = SERVERS_PER_USER
    config.PoolWatch.hub_name = settings.name
    config.CondorSpawner.homes = settings.sessions.homes
    config.CondorSpawner.session_ip = settings.sessions.ip
    config.CondorSpawner.session_path = settings.sessions.path
    config.CondorSpawner.session_environment = dict(settings.sessions.environment)
    config.CondorSpawner.queue_timeout = settings.sessions.queue_timeout_seconds
    config.CondorSpawner.node_names = settings.addresses.node_names
    # Nothing of the hub's own environment reaches a session.
    config.CondorSpawner.env_keep = []
    config.CondorSpawner.default_url = "/lab"


def _alternative_name(host: str) -> str:
    """Of the hub's certificate, in OpenSSL's notation."""
    try:
        return f"IP:{ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def _survival(config: Any) -> None:
    """Hub, proxy and sessions live and die apart; whoever comes back finds the others."""
    config.JupyterHub.proxy_class = "mlinfn_condor.hub.watched_proxy.WatchedProxy"
    config.JupyterHub.cleanup_servers = False
    config.JupyterHub.cleanup_proxy = False
    # Seconds: a proxy that was started anew knows no routes, and no session answers until it has them.
    config.ConfigurableHTTPProxy.check_running_interval = 2
    # The job's end is told at once by the one look at the queue; JupyterHub's own question is only a second net.
    config.Spawner.poll_interval = 60


def _pages(config: Any, settings_file: Path) -> None:
    config.JupyterHub.extra_handlers = HANDLERS
    config.JupyterHub.template_paths = [str(TEMPLATES)]
    # Shared by spawners and pages of this one process; it reads the settings when it is first asked.
    config.JupyterHub.tornado_settings = {
        # The progress page from the first moment: it tells what happens, and a spinning browser does not.
        "slow_spawn_timeout": 0,
        "mlinfn": Platform.instance(read(settings_file)),
    }


def _services(config: Any, settings: HubSettings, settings_file: Path) -> None:
    config.JupyterHub.services = [culling.service(settings_file), accounts.service(settings_file)]
    config.JupyterHub.load_roles = [*culling.roles(), *accounts.roles()]
    if address := settings.addresses.web_url:
        config.JupyterHub.services.append(window.service(settings_file, address, settings.addresses.web_token_file))
        config.JupyterHub.load_roles += window.roles()
        config.JupyterHub.template_vars = {"mlinfn_window": window.NAME}
