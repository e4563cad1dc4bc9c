INSERT INTO mlinfn.submitter_sample (at, submitter, effective_priority, priority_factor, weighted_use_s, devices_weighted)
SELECT to_timestamp(%(at)s), %(submitter)s, %(effective)s, %(factor)s, %(use_s)s, %(in_use)s
WHERE NOT EXISTS (
    SELECT FROM mlinfn.submitter_sample AS s
    WHERE s.submitter = %(submitter)s AND (s.at > to_timestamp(%(at)s) - interval '1 hour'
        OR (s.weighted_use_s = %(use_s)s AND s.effective_priority = %(effective)s)))
ON CONFLICT DO NOTHING
