"""`python -m mlinfn_condor.hub.culling --settings FILE`, started by JupyterHub, which gives address and token."""

import asyncio
from collections.abc import Mapping
from typing import Any

from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.beginning import by_the_hub
from mlinfn_condor.hub.culling.account_end import AccountEnds
from mlinfn_condor.hub.culling.culler import Culler
from mlinfn_condor.hub.culling.restarts import Restarts
from mlinfn_condor.hub.page.limits import hours


def main() -> None:
    """Run until stopped; a mistake in the settings is one line on stderr and exit code 1."""
    site, hub = by_the_hub("mlinfn_condor.hub.culling", __doc__)

    def longest_hours(user: str, options: Mapping[str, Any]) -> float | None:
        return hours(user, str(options.get("project") or ""), site.limits)

    restarts = Restarts(site.folder / "restarts.json")
    ends = AccountEnds(Store(site.accounts_folder))
    asyncio.run(Culler(hub, site.culling, restarts, longest_hours, ends).run())


if __name__ == "__main__":
    main()
