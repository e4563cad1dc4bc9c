"""Settings: the site's file, the files of single parts, and variables of the environment."""

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic_settings import BaseSettings

from generating import models, writing
from mlinfn_condor.accounting.inventory.cloud.meaning import Meaning
from mlinfn_condor.accounting.settings import AccountingSettings
from mlinfn_condor.backup.settings import SiteStorage
from mlinfn_condor.contracts.settings import Contracts
from mlinfn_condor.hub.settings import HubSettings
from mlinfn_condor.identity.files import PeopleFile
from mlinfn_condor.provisioning.settings import Settings as ProvisioningSettings
from mlinfn_condor.schedules.settings import SchedulesSettings
from mlinfn_condor.services.settings import ServicesSettings
from mlinfn_condor.settings import Settings
from mlinfn_condor.site.settings import Site
from mlinfn_condor.storage.room import RoomSettings
from mlinfn_condor.web.settings import WebSettings

FILES: dict[str, type[BaseModel]] = {
    "The site's file, mlinfn.toml": Site,
    "A hub's file, hub.toml": HubSettings,
    "A provisioner's file": ProvisioningSettings,
    "Homes and backup, storage.toml": SiteStorage,
    "A file of people": PeopleFile,
    "What OpenStack's names mean": Meaning,
}
"""Files of TOML, by the heading of their part of the page. A file of contracts has sections of the site's file."""
ENVIRONMENT: tuple[type[BaseSettings], ...] = (
    Settings,
    AccountingSettings,
    SchedulesSettings,
    ServicesSettings,
    WebSettings,
    RoomSettings,
)
"""What the environment may say."""
SAME: tuple[type[BaseModel], ...] = (Contracts,)
"""Made of sections that stand in a file above."""


def page() -> str:
    """All files, then the environment."""
    parts = [part for heading, model in FILES.items() for part in (f"## {heading}", *_sections(model, ""))]
    return writing.page([*parts, "## Variables of the environment", *_variables()])


def _sections(model: type[BaseModel], path: str) -> Iterator[str]:
    """A section, and then those within it."""
    if path:
        yield f"### {_heading(path)}"
    yield writing.plain(model.__doc__ or "")
    told = list(models.fields(model))
    yield _table([field for field in told if field.meaning or not field.models])
    for field in told:
        for more, within in field.models:
            yield from _sections(within, f"{path}.{field.name}{more}".lstrip("."))


def _heading(path: str) -> str:
    """As TOML writes it: `[[windows]]`, `[pool.nodes.NAME]`."""
    bare = path.replace("[]", "")
    return f"\\[\\[{bare}\\]\\]" if path.endswith("[]") else f"\\[{bare}\\]"


def _table(told: list[models.Field]) -> str:
    return writing.table(
        ("setting", "kind", "default", "meaning"),
        [
            (
                writing.code(field.name),
                writing.plain(field.kind),
                "required" if field.required else writing.code(field.default),
                writing.plain(field.meaning),
            )
            for field in told
        ],
    )


def _variables() -> Iterator[str]:
    for model in ENVIRONMENT:
        yield f"### {model.model_config['env_prefix']}…"
        yield writing.plain(model.__doc__ or "")
        yield writing.table(
            ("variable", "kind", "default", "meaning"),
            [
                (
                    writing.code(f"{model.model_config['env_prefix']}{field.name}".upper()),
                    writing.plain(field.kind),
                    writing.code(field.default),
                    writing.plain(field.meaning),
                )
                for field in models.fields(model)
            ],
        )
