-- What the pool saw of these devices gives way; what lies outside stays.
WITH said AS (SELECT node, device, range_agg(during) AS during FROM staged_grant GROUP BY node, device),
cut AS (
    DELETE FROM mlinfn.device_period AS p USING said AS s
    WHERE p.source = 'pool' AND p.node = s.node AND p.device = s.device AND p.during && s.during
    RETURNING p.node, p.device, p.during, p.owner_project, p.given_to, s.during AS said
),
kept AS (
    INSERT INTO mlinfn.device_period (node, device, during, owner_project, given_to, source)
    SELECT c.node, c.device, r.rest, c.owner_project, c.given_to, 'pool'
    FROM cut AS c CROSS JOIN LATERAL unnest(c.during::tstzmultirange - c.said) AS r (rest)
)
SELECT node, device, lower(during), upper(during) FROM cut
