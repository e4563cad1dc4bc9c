"""The settings that an embedded pool's hub begins with: text for a person, who may change it."""

from collections.abc import Iterable
from importlib.util import find_spec

from mlinfn_condor.embedded import ports
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR
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
web = "{web}"

[sessions]
homes = "{homes}/{{username}}"
ip = "127.0.0.1"
path = "{path}"
prospects_file = "{prospects}"

[sessions.environment]
{environment}

[tokens]
key_file = "{key}"
trust_domain = "{domain}"

[membership]
map_file = "{map}"
projects = [{projects}]

[accounts]
make_homes = true
pool_token_directory = "{admin_tokens}"

[accounts.members]
{members}

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
        web=f"http://127.0.0.1:{ports.choose(layout.port('web'))}" if find_spec("fastapi") else "",
        homes=layout.pool.homes,
        path=f"{pool.distribution.bin}",
        prospects=layout.pool.prospects,
        environment="\n".join(f'{name} = "{client[name]}"' for name in _PASSED_ON),
        key=layout.pool.session_signing_key,
        domain=layout.pool.folder.name,
        admin_tokens=layout.pool.tokens_of(ADMINISTRATOR),
        members="\n".join(f"{name} = [{_listed(projects)}]" for name, projects in people_of(layout).items()),
        map=layout.pool.etc / "projects.map",
        projects=_listed(_projects(layout)),
    )


def people_of(layout: HubLayout) -> dict[str, tuple[str, ...]]:
    """The pool's people and their projects, as its access points know them."""
    lines = (layout.pool.etc / "projects.map").read_text().splitlines()
    return {user: tuple(projects.split(",")) for _, user, projects in (line.split() for line in lines)}


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _projects(layout: HubLayout) -> list[str]:
    return sorted({project for projects in people_of(layout).values() for project in projects})
