-- Tables of a subscription that are not yet up to date.
SELECT count(*) FILTER (WHERE r.srsubstate NOT IN ('r', 's'))
FROM pg_subscription s
JOIN pg_subscription_rel r ON r.srsubid = s.oid
WHERE s.subname = %s
