-- People whose attempts run at the last look. One with two classes counts in both.
SELECT class, count(DISTINCT username) FROM mlinfn.running WHERE gone_at IS NULL AND seen_at > %(fresh)s GROUP BY 1
