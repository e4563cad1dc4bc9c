"""The story's last question: who used what? Its answer comes from the database, as it would for a whole year."""

from mlinfn_condor.accounting.journals import EVENTS, STARTS
from mlinfn_condor.accounting.service import Service
from mlinfn_condor.accounting.settings import AccountingSettings
from mlinfn_condor.demo.narrator import Narrator
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.hub.local.layout import HubLayout
from mlinfn_condor.pool import Pool
from mlinfn_condor.store import migrate
from mlinfn_condor.store.local import RECORDER
from mlinfn_condor.store.site import dsn_of_site, local_server


def recorder(running: RunningPool, pool: Pool, report: Report) -> Service:
    """A database that is up, and a recorder that has looked at the pool once, so that its devices are known."""
    local_server(running.settings).up(report)
    migrate(dsn_of_site(settings=running.settings))
    dsn = dsn_of_site(settings=running.settings, role=RECORDER)
    service = Service(
        dsn,
        lambda: pool,
        running.layout.spools,
        AccountingSettings(),
        {STARTS: HubLayout(running.layout).starts, EVENTS: running.layout.glidein_journal},
    )
    service.once()
    return service


def tell(service: Service, narrator: Narrator) -> None:
    """Store what the story did."""
    service.once()
    narrator.say("Every attempt is in PostgreSQL now: `mlinfn report` says who used what")
