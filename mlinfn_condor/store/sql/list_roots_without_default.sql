-- Partitioned tables that would refuse a row outside their partitions.
SELECT c.relname
FROM pg_partitioned_table p
JOIN pg_class c ON c.oid = p.partrelid
WHERE c.relnamespace = to_regnamespace('mlinfn') AND NOT c.relispartition AND p.partdefid = 0
ORDER BY c.relname
