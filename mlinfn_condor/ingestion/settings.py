"""Section `[ingestion]` of a site's file: whose tokens are believed, and which tables projects have."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlinfn_condor import settings_file
from mlinfn_condor.errors import BadRequest

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
"""Of a table or a column: as PostgreSQL writes it without quotes."""
Project = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
Type = Literal[
    "bigint",
    "integer",
    "real",
    "double precision",
    "numeric",
    "text",
    "boolean",
    "timestamptz",
    "date",
    "jsonb",
    "uuid",
]
TAKEN = frozenset({"id", "project", "sent_by", "received_at", "written_by"})
"""Columns that every table has, or may have, anyway."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Section):
    """`[ingestion.tables.columns]`, one a line: `becquerel_m3 = {type = "real", unit = "Bq/m³"}`."""

    type: Type
    """As PostgreSQL calls it."""
    unit: str = Field(default="", max_length=100)
    """In words or signs, for whoever reads the table; nothing is reckoned with it."""
    optional: bool = False
    """Whether a row may come without it."""


class Table(_Section):
    """`[[ingestion.tables]]`: what instruments of some projects write."""

    name: Name
    """In the schema `api`, and in the address."""
    projects: tuple[Project, ...] = Field(min_length=1)
    """Whose it is. Each sees its own rows only."""
    columns: dict[Name, Column] = Field(min_length=1)
    """By name; each table has `project`, `sent_by`, `received_at` besides."""
    key: tuple[Name, ...] = ()
    """Columns that tell a project's rows apart. None: a column `id`, which the client may choose."""
    retention_days: int | None = Field(default=None, ge=1)
    """How long rows stay; None: for ever."""

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        if taken := sorted(TAKEN & self.columns.keys()):
            raise ValueError(f"columns: {', '.join(taken)}: every table has that anyway, choose another name")
        if unknown := [name for name in self.key if name not in self.columns]:
            raise ValueError(f"key: {', '.join(unknown)}: the table has no such column")
        if optional := [name for name in self.key if self.columns[name].optional]:
            raise ValueError(f"key: {', '.join(optional)}: a column of the key cannot be optional")
        return self


class Ingestion(_Section):
    """All of the section."""

    issuer: str
    """The provider that signs tokens; its keys are found by its `/.well-known/openid-configuration`."""
    audience: str = Field(min_length=1)
    """What tokens for this site's ingestion are issued for (claim `aud`)."""
    scope: str = ""
    """What they must be good for (a word of claim `scope`); empty: nothing in particular."""
    groups_claim: str = "groups"
    """Which claim lists the groups; `a.b` is `b` within `a`, unless there is a claim of that very name."""
    groups: dict[str, Project | tuple[Project, ...]] = Field(min_length=1)
    """Table `[ingestion.groups]`: group of the provider → project, or list of projects."""
    tables: tuple[Table, ...] = ()
    leeway_seconds: int = Field(default=60, ge=0, le=300)
    """How far the provider's clock may be from ours."""
    most_mb: int = Field(default=16, ge=1, le=1024)
    """Largest body of a request (MB): 100,000 rows of a handful of columns."""
    most_rows: int = Field(default=100_000, ge=1)
    """Rows that one answer has at most; the next ones are asked for by a range."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError(f"issuer: {self.issuer} must begin with https://")
        names = [table.name for table in self.tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"tables: {', '.join(twice)}: there twice")
        return self

    @property
    def memberships(self) -> list[tuple[str, str]]:
        """Each group with each of its projects."""
        lists = ((group, (told,) if isinstance(told, str) else told) for group, told in self.groups.items())
        return [(group, project) for group, projects in lists for project in projects]


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")
    ingestion: Ingestion | None = None


def read(path: Path) -> Ingestion:
    """The section in this file; other tables belong to others. Raises BadRequest with every mistake and its place."""
    told = settings_file.read(path, _File)
    if told.ingestion is None:
        raise BadRequest(f"{path}: ingestion: missing. docs/ingestion.md has an example")
    return told.ingestion
