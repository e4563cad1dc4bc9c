"""Under which addresses the platform's parts find the database. Pure."""

from mlinfn_condor.ingestion.rendering import SCHEMA, postgrest
from mlinfn_condor.site.sections import Database
from mlinfn_condor.site.settings import Site

ROLES = ("owner", "recorder", "reports", "schedules", "identity", "rest")
"""Of the database, without their common prefix."""


def of_role(settings: Database, role: str) -> str:
    """A DSN without a password."""
    host = settings.host or "database"
    tls = settings.tls or ("verify-full" if settings.host else None)
    options = f"?sslmode={tls}" if tls else ""
    if tls == "verify-full":
        options += "&sslrootcert=system"
    return f"postgresql://mlinfn_{role}@{host}:{settings.port}/{settings.name}{options}"


def database(site: Site) -> dict[str, str]:
    """ConfigMap mlinfn-database: an address for each role, and what PostgREST is told."""
    settings = site.database
    told = {role: of_role(settings, role) for role in ROLES}
    schemas = [*([SCHEMA] if site.ingestion else []), *settings.rest_schemas]
    if schemas:
        told["rest-schemas"] = ",".join(dict.fromkeys(schemas))
        if settings.rest_anonymous:
            told["rest-anonymous"] = settings.rest_anonymous
    if site.ingestion:
        told |= postgrest(site.ingestion)
    return told
