-- Tables whose rows do not stay for ever.
SELECT name FROM mlinfn_ingest.declared WHERE retention_days IS NOT NULL ORDER BY name
