-- Whose tokens are believed from now on.
INSERT INTO mlinfn_ingest.provider AS p (issuer, audience, scope, groups_claim)
VALUES (%(issuer)s, %(audience)s, %(scope)s, %(groups_claim)s)
ON CONFLICT (only_row) DO UPDATE SET issuer = excluded.issuer, audience = excluded.audience, scope = excluded.scope,
    groups_claim = excluded.groups_claim
