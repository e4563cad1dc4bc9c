"""The settings that an embedded pool's hub begins with: text for a person, who may change it."""

from mlinfn_condor.embedded import ports
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.hub.local.layout import HubLayout

_TEXT = """\
# Settings of this pool's hub: written once by `mlinfn hub up`, yours from then on. After a change: `mlinfn hub down`,
# `mlinfn hub up`; sessions run on. What each setting means and what else there is: docs/hub.md.
name = "{name}"
folder = "{folder}"

[addresses]
public = "http://127.0.0.1:{public}"
hub = "http://127.0.0.1:{hub}"
proxy_api = "http://127.0.0.1:{proxy}"

[sessions]
homes = "{homes}/{{username}}"
ip = "127.0.0.1"
path = "{path}"

[sessions.environment]
{environment}

[tokens]
key_file = "{key}"
trust_domain = "{domain}"

[membership]
map_file = "{map}"
projects = [{projects}]

[accounts]
file = "{accounts}"

[limits]
sessions_per_person = 3
devices_per_person = 4
"""

_PASSED_ON = ("CONDOR_CONFIG", "DASK_CONFIG", "DASK_JOBQUEUE__HTCONDOR__INTERFACE")


def text(layout: HubLayout, pool: RunningPool) -> str:
    """TOML."""
    client = pool.environment()
    return _TEXT.format(
        name=pool.settings.pool,
        folder=layout.folder,
        public=ports.choose(layout.port("public")),
        hub=ports.choose(layout.port("hub")),
        proxy=ports.choose(layout.port("proxy")),
        homes=layout.pool.homes,
        path=f"{pool.distribution.bin}",
        environment="\n".join(f'{name} = "{client[name]}"' for name in _PASSED_ON),
        key=layout.pool.session_signing_key,
        domain=layout.pool.folder.name,
        map=layout.pool.etc / "projects.map",
        projects=", ".join(f'"{project}"' for project in _projects(layout)),
        accounts=layout.accounts,
    )


def _projects(layout: HubLayout) -> list[str]:
    lines = (layout.pool.etc / "projects.map").read_text().splitlines()
    return sorted({project for line in lines for project in line.split()[2].split(",")})
