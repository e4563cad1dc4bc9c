-- Looks are stored one after the other: each is the difference to the one before.
SELECT pg_advisory_xact_lock(hashtext('mlinfn.look'))
