"""Section [ingestion]: every mistake with its place; and the configuration of a PostgREST that follows from it."""

from pathlib import Path

import pytest

from mlinfn_condor.bench.instruments import SITE
from mlinfn_condor.errors import BadRequest
from mlinfn_condor.ingestion.rendering import configuration
from mlinfn_condor.ingestion.settings import read


def site(folder: Path, *changes: tuple[str, str]) -> Path:
    text = SITE.format(issuer="https://iam.example.org/")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (file := folder / "mlinfn.toml").write_text(text + '\n[hub]\nname = "of others"\n')
    return file


def test_groups_open_projects(tmp_path: Path) -> None:
    found = read(site(tmp_path))
    assert ("everybody", "muon") in found.memberships
    assert found.tables[0].columns["becquerel_m3"].unit == "Bq/m³"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("https://iam", "http://iam"), "must begin with https://"),
        (('name = "track"', 'name = "reading"'), "tables: reading: there twice"),
        (('name = "track"', 'name = "track; DROP TABLE x"'), "ingestion.tables.1.name"),
        (('"radon", "muon"]', '"radon", "Muon\'"]'), "ingestion.groups.everybody"),
        (("angle = {", "sent_by = {"), "every table has that anyway"),
        (("double precision", "money"), "ingestion.tables.1.columns.angle.type"),
        (('"station", "taken_at"', '"station", "note"'), "a column of the key cannot be optional"),
        (('"station", "taken_at"', '"room"'), "the table has no such column"),
        (("retention_days = 365", "retention_days = 0"), "ingestion.tables.0.retention_days"),
        (("audience =", "audiance ="), "ingestion.audience"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(site(tmp_path, change))
    assert told in str(caught.value)


def test_a_real_postgrest_asks_the_same_database_in_the_same_way(tmp_path: Path) -> None:
    text = configuration(read(site(tmp_path)))
    for line in ('db-schemas = "api"', 'db-pre-request = "mlinfn_ingest.enter"', 'jwt-aud = "mlinfn-ingestion"'):
        assert line in text
