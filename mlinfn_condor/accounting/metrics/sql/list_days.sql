-- Days in which something ran. Of a settled day the sums are true until it is marked again; the others are read anew.
SELECT p.day, p.whole IS TRUE, s.rolled_at
FROM mlinfn.parts('-infinity', %(now)s) AS p JOIN mlinfn.day_state AS s USING (day)
