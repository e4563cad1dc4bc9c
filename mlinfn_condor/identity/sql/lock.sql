-- Whoever reads the register and decides does so alone, until his transaction ends: two would give one number twice.
SELECT pg_advisory_xact_lock(hashtext('mlinfn.identity'))
