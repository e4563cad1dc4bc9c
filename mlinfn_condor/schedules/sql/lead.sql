-- One scheduler at a time: true for whoever holds the lock, until his connection ends.
SELECT pg_try_advisory_lock(hashtext('mlinfn.scheduler'))
