SELECT
    sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname LIKE 'attempt%') / 1e6,
    sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname LIKE 'device_sample%') / 1e6,
    sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname ~ '^(day|hour|device_hour|month)') / 1e6
FROM pg_class AS c
WHERE c.relnamespace = 'mlinfn'::regnamespace AND c.relkind = 'r'
