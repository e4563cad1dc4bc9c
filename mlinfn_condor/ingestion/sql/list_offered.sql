-- Columns of what is offered, in their order, with their types as PostgreSQL writes them, and the primary key of each table.
SELECT
    c.relname,
    a.attname,
    format_type(a.atttypid, a.atttypmod),
    coalesce(i.indkey::int2[] @> ARRAY[a.attnum], false)
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = to_regnamespace('api') AND c.relkind IN ('r', 'p', 'v')
ORDER BY c.relname, a.attnum
