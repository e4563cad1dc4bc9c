-- Every PostgREST of this database reads its configuration again, files of keys among it.
SELECT pg_notify('pgrst', 'reload config')
