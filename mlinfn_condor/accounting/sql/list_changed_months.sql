-- Months that are over, all of whose days are added up, one of them after the month was.
SELECT d.month
FROM (
    SELECT date_trunc('month', day::timestamp)::date AS month, max(rolled_at) AS rolled_at,
        bool_and((sums_only OR rolled_at > changed_at) IS TRUE) AS whole
    FROM mlinfn.day_state GROUP BY 1) AS d
LEFT JOIN mlinfn.month_state AS m USING (month)
WHERE d.whole AND (m.rolled_at > d.rolled_at) IS NOT TRUE AND d.month + interval '1 month' <= now() AT TIME ZONE 'UTC'
ORDER BY d.month
