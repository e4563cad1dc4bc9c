-- Attempts that run at the last look.
SELECT project, class, count(*) FROM mlinfn.running WHERE gone_at IS NULL AND seen_at > %(fresh)s GROUP BY 1, 2
