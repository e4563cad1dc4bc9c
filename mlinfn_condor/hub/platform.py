"""What this hub's site offers and allows: its settings, joined with what the pool has now."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from traitlets.config import SingletonConfigurable

from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.errors import BadRequest, PoolUnavailable
from mlinfn_condor.hub import homes, tokens
from mlinfn_condor.hub.accounts import membership
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.page import form, outlook
from mlinfn_condor.hub.page.choice import Choice
from mlinfn_condor.hub.page.inventory import Inventory, remember
from mlinfn_condor.hub.page.limits import Held, Limits, refusal
from mlinfn_condor.hub.page.offers import NOTHING, Offers, offers
from mlinfn_condor.hub.page.outlook import Outlook, Start
from mlinfn_condor.hub.settings import HubSettings
from mlinfn_condor.hub.watch import PoolWatch
from mlinfn_condor.pool import Job
from mlinfn_condor.provisioning.prospects import Prospects
from mlinfn_condor.session.folder import SessionFolder
from mlinfn_condor.submission.snapshot import Snapshot

KEEP_SECONDS = 600
"""How old the kept memory of the pool's devices may be: a hub that starts anew misses no more."""


class Platform(SingletonConfigurable):
    """One for each hub process: `Platform.instance()`. Spawners and pages ask it."""

    def __init__(self, settings: HubSettings, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings = settings
        self._remembered: Snapshot | None = None
        self._told: Snapshot | None = None
        self._written = 0
        own_accounts = settings.sessions.own_accounts
        self.homes = homes.of_settings(settings.storage, own_accounts=own_accounts) if settings.storage else None
        self.inventory = Inventory()
        if self._inventory_file.exists():
            self.inventory = Inventory.from_json(self._inventory_file.read_text())

    def __deepcopy__(self, _memo: object) -> Self:
        """Configuration is copied on its way to the pages; they and the spawners ask the same one."""
        return self

    @property
    def limits(self) -> Limits:
        """What a person may have."""
        return self.settings.limits

    @property
    def store(self) -> Store:
        """The hub's accounts."""
        return Store(self.settings.accounts_folder)

    @property
    def owners_displace_sessions(self) -> bool:
        """Whether an owner's session ends a guest's on the owner's device."""
        return self.settings.sessions.owners_displace_sessions

    @property
    def watch(self) -> PoolWatch:
        """The hub's view of the pool."""
        return PoolWatch.instance()

    async def snapshot(self) -> Snapshot | None:
        """The latest look at the pool; its devices are remembered, so that a node that is away is missed."""
        seen = await self.watch.snapshot()
        if seen is not None and seen is not self._remembered:
            self._remembered = seen
            self._told = replace(seen, promised=(await self.prospects()).slots)
            self.inventory = remember(self.inventory, seen)
            if seen.now - self._written > KEEP_SECONDS:
                self._written = seen.now
                write_private(self._inventory_file, self.inventory.to_json().encode())
        return seen and self._told

    async def prospects(self) -> Prospects:
        """What the pool's provisioner tells of nodes to come."""
        file = self.settings.sessions.prospects_file
        return await asyncio.get_running_loop().run_in_executor(None, Prospects.read, file) if file else Prospects()

    def projects_of(self, user: str) -> tuple[str, ...]:
        """Projects of the pool that the user may account on, the default one first."""
        account = self.store.read().get(user)
        return tuple(one for one in account.member_of if one in self.settings.membership.projects) if account else ()

    def owner_of(self, job: Job) -> tuple[str, str] | None:
        """User and server name of a session of this hub."""
        return self.watch.servers.get(job.id)

    async def choice(self, options: dict[str, Any]) -> Choice:
        """What somebody asks for through the API; what he leaves open suits the device. Raises BadRequest."""
        return Choice.from_options(options, await self._offers())

    async def choice_of_form(self, told: dict[str, list[str]]) -> Choice:
        """What somebody chose on the page. Raises BadRequest."""
        return Choice.from_form(told, await self._offers())

    async def form(self, user: str, server: str, hub_url: str, told: Mapping[str, Sequence[str]] | None = None) -> str:
        """HTML of the spawn page's choices; `hub_url` is the hub's base, `told` a form that was refused."""
        return await form.render(self, user, server, hub_url, told)

    async def admit(self, user: str, server: str, choice: Choice) -> Choice:
        """The choice with its project, or a refusal of what limits or equipment make impossible. Raises BadRequest."""
        if not await membership.settled(self.store, user):
            raise PoolUnavailable("the pool has not yet heard of your membership: try again in a minute")
        if not (projects := self.projects_of(user)):
            raise BadRequest("you belong to no project of this pool: ask its administrators to add you to one")
        project = choice.project or projects[0]
        if project not in projects:
            raise BadRequest(f"you are no member of project {project}: yours are {', '.join(projects)}")
        others = [one for one in self.held() if (one.user, one.server) != (user, server)]
        if refused := refusal(choice, user, project, others, self.limits):
            raise BadRequest(refused)
        found = await self._outlook(choice, project)
        if found.start is Start.CANNOT:
            raise BadRequest(found.sentence)
        return choice.model_copy(update={"project": project})

    def held(self) -> list[Held]:
        """Everybody's sessions that run, wait or start."""
        servers = self.watch.servers
        return [
            Held(job.user, job.project, servers[job.id][1], _devices(job))
            for job in self.watch.look.jobs.values()
            if job.id in servers and not job.state.final
        ]

    def have_home(self, user: str) -> None:
        """Home and projects' folders of who starts a session, where this hub makes them. Raises StorageFailed."""
        if self.homes is not None:
            self.homes.have(user, self.projects_of(user))

    def project_folder(self, project: str | None) -> dict[str, str]:
        """The variable that tells a session where its project's members share files."""
        return {"MLINFN_PROJECT_FOLDER": str(self.homes.project(project))} if self.homes and project else {}

    def renew_token(self, user: str, folder: SessionFolder) -> None:
        """Give a session an HTCondor token of its user's, unless the one it has is good for a while."""
        settings = self.settings
        issuer = tokens.Issuer(settings.tokens.key_file, settings.tokens.trust_domain)
        account = self.store.read().get(user)
        until = account.until.timestamp() if account and account.until else None
        lifetime = settings.accounts.token_seconds
        tokens.renew(folder.path, issuer, user, int(time.time()), lifetime_seconds=lifetime, until=until)

    async def _outlook(self, choice: Choice, project: str) -> Outlook:
        ask = outlook.ask_for(choice.devices, choice.cpus, choice.memory_mb)
        return outlook.outlook(await self.snapshot(), self.inventory, ask, project, self.owners_displace_sessions)

    async def _offers(self) -> Offers:
        snapshot = await self.snapshot()
        if snapshot is None:
            return NOTHING
        return offers(snapshot, self.inventory, self.limits.cpus_per_session, self.limits.memory_mb_per_session)

    @property
    def _inventory_file(self) -> Path:
        return self.settings.folder / "inventory.json"


def _devices(job: Job) -> int:
    return sum(int(job.ad.get(name) or 0) for name in ("RequestGPUs", "RequestFPGAs"))
