"""`python -m mlinfn_condor.hub.accounts --settings FILE`, started by JupyterHub, which gives address and token."""

from collections.abc import Callable
from pathlib import Path

from mlinfn_condor.hub.accounts.enrolment import Enrolment
from mlinfn_condor.hub.accounts.seals import Seals
from mlinfn_condor.hub.accounts.service import run
from mlinfn_condor.hub.accounts.steward import Steward
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.beginning import by_the_hub
from mlinfn_condor.hub.settings import HubSettings
from mlinfn_condor.hub.tokens import Issuer
from mlinfn_condor.pool.protocol import Pool
from mlinfn_condor.pool.real import RealPool


def main() -> None:
    """Run until stopped; a mistake in the settings is one line on stderr and exit code 1."""
    site, hub = by_the_hub("mlinfn_condor.hub.accounts", __doc__)
    store, map_file = Store(site.accounts_folder), site.membership.map_file

    def pool() -> Pool:
        return _pool(site)

    def home_of(name: str) -> Path:
        return Path(site.sessions.homes.format(username=name))

    makes_homes = home_of if site.accounts.make_homes else None
    projects, base = site.membership.projects, site.accounts.members
    leavers_map = site.membership.leavers_map
    steward = Steward(
        store,
        hub,
        pool,
        map_file,
        projects,
        base=base,
        home_of=makes_homes,
        leavers_map=leavers_map,
        enrolment=_enrolment(site, store, home_of),
        seals=Seals(
            site.membership.people_tokens_map,
            Issuer(site.tokens.key_file, site.tokens.trust_domain),
            site.membership.daemons_group,
        ),
    )
    run(steward, lambda: (store.version(), _modified(map_file), _modified(leavers_map)))


def _enrolment(site: HubSettings, store: Store, home_of: Callable[[str], Path]) -> Enrolment | None:
    if (told := site.accounts.identity) is None:
        return None
    from mlinfn_condor.identity.database import DatabaseRegister

    return Enrolment(store, DatabaseRegister(told.database), told.folder, home_of)


def _pool(site: HubSettings) -> Pool:
    tokens = site.accounts.pool_token_directory
    return RealPool({"_CONDOR_SEC_TOKEN_DIRECTORY": str(tokens)} if tokens else {})


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


if __name__ == "__main__":
    main()
