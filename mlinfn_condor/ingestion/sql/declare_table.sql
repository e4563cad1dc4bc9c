-- Make a table, or bring it up to what is declared; whether it is new.
SELECT mlinfn_ingest.declare(%(name)s, %(projects)s, %(columns)s::jsonb, %(key)s, %(retention_days)s, %(declared_in)s)
