-- First and last day with a measured one-device attempt, by device model and class.
SELECT model, class, min(day), max(day)
FROM mlinfn.sizes_in(%(lo)s, %(hi)s)
GROUP BY 1, 2
