-- It is offered no more, and PostgREST is told.
WITH gone AS (DELETE FROM mlinfn_ingest.declared WHERE name = %(name)s RETURNING name)
SELECT pg_notify('pgrst', 'reload schema') FROM gone
