-- Rows that are too old, so many at a time.
SELECT mlinfn_ingest.forget(%(name)s, %(most)s)
