-- What they ran: the tasks with the most device hours, then the most attempts.
SELECT coalesce(nullif(task, ''), '(unnamed)'), class, count(DISTINCT username), sum(attempts), sum(claimed_s) / 3600
FROM mlinfn.tasks_in(%(lo)s, %(hi)s)
GROUP BY 1, 2
ORDER BY 5 DESC, 4 DESC, 1, 2
LIMIT %(most)s
