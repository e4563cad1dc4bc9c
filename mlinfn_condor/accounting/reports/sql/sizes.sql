-- Histogram of what one-device attempts asked for and used: how many at each value, the first and the last day.
SELECT model, class, quantity, value, sum(tasks), min(first_day), max(last_day)
FROM mlinfn.size_spans_in(%(lo)s, %(hi)s)
WHERE %(key)s::text IS NULL OR model || '/' || class = %(key)s
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
