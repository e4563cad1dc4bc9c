-- Whose request the rest of the transaction is: first a role that may nothing, then what the claims open.
SELECT
    set_config('role', 'mlinfn_visitor', true),
    set_config('statement_timeout', %(timeout_ms)s, true),
    set_config('request.jwt.claims', %(claims)s, true),
    set_config('request.headers', %(headers)s, true),
    mlinfn_ingest.enter()
