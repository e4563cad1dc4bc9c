"""The site file: all of it, and every mistake in it at once."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from mlinfn_condor import settings_file
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.contracts.settings import ContractLimits, Headroom, Name, Owner, Pledge, PoolSettings, Window
from mlinfn_condor.contracts.settings import Contracts as Contracts
from mlinfn_condor.ingestion.settings import Ingestion
from mlinfn_condor.schedules.declared import DeclaredSchedule
from mlinfn_condor.site import across
from mlinfn_condor.site.cluster import Kubernetes, Provisioning
from mlinfn_condor.site.numbers import Numbers
from mlinfn_condor.site.references import Section
from mlinfn_condor.site.sections import Backup, Database, External, Hosts, Hub, Identity, Storage

SiteName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
"""Short: it is part of names in the queue and of the pool's pods."""
_SITE_ALONE = ("name", "hosts", "kubernetes", "identity", "storage", "provisioning")


class Site(Section):
    """One site. What a section means stands in its class."""

    name: SiteName
    """Part of names in the queue and of pods, so it is short and is not changed later."""
    hosts: Hosts
    numbers: Numbers = Field(default_factory=dict)
    """Numbers of the policy that differ: `vacate_seconds = 60` is MLINFN_VACATE_SECONDS."""
    pool: PoolSettings
    pledges: dict[PriorityClass, dict[Name, Pledge]] = Field(default_factory=dict)
    owners: dict[Name, Owner] = Field(default_factory=dict)
    headroom: list[Headroom] = Field(default_factory=list)
    windows: list[Window] = Field(default_factory=list)
    limits: ContractLimits = ContractLimits()
    identity: Identity
    hub: Hub = Hub()
    storage: Storage
    database: Database = Database()
    backup: Backup | None = None
    ingestion: Ingestion | None = None
    kubernetes: Kubernetes
    provisioning: Provisioning
    external: External = External()
    schedules: list[DeclaredSchedule] = Field(default_factory=list)

    @property
    def offers_rest(self) -> bool:
        """Whether a PostgREST is rendered."""
        return bool(self.database.rest_schemas) or self.ingestion is not None

    @property
    def contracts(self) -> Contracts:
        """The promises, as HTCondor's configuration is rendered from them."""
        return Contracts(**{name: getattr(self, name) for name in Contracts.model_fields})


def is_site(tables: dict[str, Any]) -> bool:
    """Whether these are a site file's tables, and not those of a contracts file alone."""
    return any(name in tables for name in _SITE_ALONE)


def read(path: Path) -> Site:
    """The site in this file. Raises BadRequest with every mistake and its place, a line each."""
    return parse(settings_file.text_of(path), str(path))


def parse(text: str, source: str) -> Site:
    """The site in this text. Raises BadRequest.

    Sections are read one by one, so that a mistake in one does not hide those of the others, nor what does not fit
    between those that are right.
    """
    tables = settings_file.tables(text, source)
    mistakes: list[str] = []
    sections: dict[str, Any] = {}
    for name, field in Site.model_fields.items():
        try:
            sections[name] = _section(name, field, tables)
        except ValidationError as error:
            mistakes += settings_file.sentences(error, [name])
        except KeyError:
            mistakes.append(f"{name}: missing. {_CURE.get(name, 'mlinfn site new --example shows it')}")
    mistakes += [f"{name}: there is no such table{_near(name)}" for name in tables if name not in Site.model_fields]
    mistakes += [line for check in across.CHECKS for line in _told(check, sections)]
    if mistakes:
        raise settings_file.refusal(source, mistakes)
    return Site.model_construct(**sections)


def _section(name: str, field: FieldInfo, tables: dict[str, Any]) -> Any:
    if name not in tables:
        if field.is_required():
            raise KeyError(name)
        return field.get_default(call_default_factory=True)
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(kind).validate_python(tables[name])


def _told(check: Callable[..., Iterator[str]], sections: dict[str, Any]) -> list[str]:
    """What a check says, where the sections that it compares (its parameters' names) can be read at all."""
    wanted = inspect.signature(check).parameters
    return list(check(**{name: sections[name] for name in wanted})) if wanted.keys() <= sections.keys() else []


def _near(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, Site.model_fields, 1)
    return f": did you mean [{near[0]}]?" if near else ""


_CURE = {
    "name": 'Name the site: name = "bari"',
    "hosts": "Give hosts.public and hosts.domain",
    "pool": "Say what there is to share: pool.projects and [pool.nodes.NAME]",
    "identity": "Say who may sign in: [identity.openid] or [identity.members]",
    "storage": "Say where homes lie: [storage.nfs] or [storage.server]",
    "kubernetes": "Say which images run: [kubernetes.images]",
    "provisioning": "Say which nodes there can be: [provisioning.kinds.NAME]",
}
