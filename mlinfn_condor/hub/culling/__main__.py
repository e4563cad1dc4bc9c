"""`python -m mlinfn_condor.hub.culling --settings FILE`, started by JupyterHub, which gives address and token."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.beginning import by_the_hub
from mlinfn_condor.hub.culling.account_end import AccountEnds
from mlinfn_condor.hub.culling.culler import Culler
from mlinfn_condor.hub.culling.restarts import Restarts
from mlinfn_condor.hub.page.limits import hours

PARENT_SECONDS = 1.0
"""Between two looks whether the hub that started us is there."""


def main() -> None:
    """Run until stopped; a mistake in the settings is one line on stderr and exit code 1."""
    site, hub = by_the_hub("mlinfn_condor.hub.culling", __doc__)

    def longest_hours(user: str, options: Mapping[str, Any]) -> float | None:
        return hours(user, str(options.get("project") or ""), site.limits)

    restarts = Restarts(site.folder / "restarts.json")
    ends = AccountEnds(Store(site.accounts_folder))
    asyncio.run(_while_hub_lives(Culler(hub, site.culling, restarts, longest_hours, ends), os.getppid()))


async def _while_hub_lives(culler: Culler, hub: int) -> None:
    """A hub that is killed leaves us behind, and the next one starts its own."""
    running = asyncio.create_task(culler.run())
    while os.getppid() == hub and not running.done():
        await asyncio.wait([running], timeout=PARENT_SECONDS)
    running.cancel()


if __name__ == "__main__":
    main()
