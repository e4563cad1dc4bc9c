-- Partitions of the schema, parents before children; splits: how a partition that is partitioned itself does it.
SELECT
    child.relname AS name,
    parent.relname AS parent,
    pg_get_expr(child.relpartbound, child.oid) AS bounds,
    pg_get_partkeydef(child.oid) AS splits
FROM pg_class root
CROSS JOIN LATERAL pg_partition_tree(root.oid) AS tree
JOIN pg_class child ON child.oid = tree.relid
JOIN pg_class parent ON parent.oid = tree.parentrelid
WHERE root.relnamespace = to_regnamespace('mlinfn')
    AND child.relnamespace = root.relnamespace
    AND root.relkind = 'p'
    AND NOT root.relispartition
ORDER BY tree.level, child.relname
