"""The configuration of a real PostgREST that does what the front end does. Pure."""

import json
from collections.abc import Mapping

from mlinfn_condor.ingestion.settings import Ingestion

SCHEMA = "api"
NOBODY, ENTER, NO_CLAIM = "mlinfn_visitor", "mlinfn_ingest.enter", ".mlinfn_role_by_groups_only"
_TEXT = """\
# Written by `mlinfn ingest postgrest`. PostgREST checks signature, end and audience of a token; mlinfn_ingest.enter()
# then checks issuer and scope, and goes on as the role of the project that the token's groups open. A claim that names
# a role counts for nothing.
db-schemas = "{schema}"
db-anon-role = "{nobody}"
db-pre-request = "{enter}"
db-max-rows = {most_rows}
db-channel-enabled = true
jwt-aud = {audience}
jwt-role-claim-key = "{claim}"
# The address of the database (role mlinfn_rest) and the provider's keys come from the environment:
#   PGRST_DB_URI=postgresql://mlinfn_rest@db.example.org/mlinfn
#   PGRST_JWT_SECRET=@/etc/mlinfn/keys.json   (what {issuer} tells at its jwks_uri; fetched anew when its keys change)
"""


def configuration(settings: Ingestion) -> str:
    """For `postgrest FILE`."""
    return _TEXT.format(
        schema=SCHEMA, nobody=NOBODY, enter=ENTER, claim=NO_CLAIM, most_rows=settings.most_rows,
        audience=json.dumps(settings.audience), issuer=settings.issuer.rstrip("/"),
    )  # fmt: skip


def postgrest(settings: Ingestion) -> Mapping[str, str]:
    """The same for the rendered one: keys of ConfigMap mlinfn-database."""
    return {
        "rest-anonymous": NOBODY, "rest-enter": ENTER, "rest-role-claim": NO_CLAIM, "rest-audience": settings.audience,
        "rest-most-rows": str(settings.most_rows),
    }  # fmt: skip
