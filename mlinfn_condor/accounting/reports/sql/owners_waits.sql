-- How long owners waited from submit to the first start on a device of their own.
SELECT concat_ws('/', project, mlinfn.key_of(nullif(%(by)s, 'project'), day, model, '', '', '')) AS key,
    sum(starts), sum(wait_s) / nullif(sum(starts), 0), max(worst_s)
FROM mlinfn.waits_in(%(lo)s, %(hi)s)
WHERE own
GROUP BY 1
ORDER BY 1
