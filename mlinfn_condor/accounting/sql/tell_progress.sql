SELECT access_point, kind, count(*), sum(records)::bigint, sum(refused)::bigint, max(read_at)
FROM mlinfn.history_cursor GROUP BY 1, 2 ORDER BY 1, 2
