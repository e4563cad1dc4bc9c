-- Its id, and whether any table is already being copied or kept up to date.
SELECT s.oid::text, EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srsubid = s.oid)
FROM pg_subscription s
WHERE s.subname = %s AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
