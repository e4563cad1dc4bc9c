-- How far the histories have been read.
SELECT access_point, kind, sum(records)::bigint, sum(refused)::bigint, extract(epoch FROM max(read_at))::double precision
FROM mlinfn.history_cursor
GROUP BY 1, 2
