-- What a mirror carries: every table of the schema but the list of migrations, which is each server's own. A partitioned
-- table stands for its partitions. has_identity: rows can be told apart, without which the site itself could not change
-- them any more. Of a partitioned table only the primary key counts: partitions to come inherit nothing else.
SELECT
    c.relname AS name,
    EXISTS (
        SELECT FROM pg_index i
        WHERE i.indrelid = c.oid AND (i.indisprimary OR i.indisreplident AND c.relkind = 'r')
    ) OR c.relreplident = 'f' AND c.relkind = 'r' AS has_identity
FROM pg_class c
WHERE c.relnamespace = to_regnamespace('mlinfn')
    AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition
    AND c.relpersistence = 'p'
    AND c.relname <> 'migration'
ORDER BY c.relname
