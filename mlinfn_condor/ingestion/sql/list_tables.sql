-- What is declared, with how many rows PostgreSQL believes there are (it looks now and then), and the size in bytes.
SELECT
    d.name, d.projects, d.key, d.retention_days, d.units, d.declared_in,
    greatest(c.reltuples, 0)::bigint AS about,
    pg_total_relation_size(c.oid) AS size_bytes,
    (SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
     FROM pg_attribute AS a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND NOT a.attname = ANY (ARRAY['project', 'sent_by', 'received_at', 'written_by'])) AS columns
FROM mlinfn_ingest.declared AS d
JOIN pg_class AS c ON c.relnamespace = to_regnamespace('api') AND c.relname = d.name
ORDER BY d.name
