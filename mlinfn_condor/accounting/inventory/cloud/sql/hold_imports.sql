-- One import of a cloud at a time: each is the difference to the one before. The recorder need not wait for it.
SELECT pg_advisory_xact_lock(hashtext('mlinfn.inventory'))
