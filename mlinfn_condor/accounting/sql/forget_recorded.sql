DELETE FROM mlinfn.running AS r
USING staged_attempt AS s
WHERE r.access_point = %(access_point)s AND r.cluster = s.cluster AND r.proc = s.proc
    AND r.submitted_at = to_timestamp(s.submitted) AND r.started_at <= to_timestamp(s.ended)
