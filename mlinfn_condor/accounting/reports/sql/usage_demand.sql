-- The most that ran at once in each slice of time, by class and device model.
SELECT mlinfn.key_of(%(slice)s, (hour AT TIME ZONE 'UTC')::date, '', '', '', '') AS slice, class,
    coalesce(nullif(model, ''), 'none') AS model, max(users), max(attempts), max(devices)
FROM mlinfn.demand_in(%(lo)s, %(hi)s)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
