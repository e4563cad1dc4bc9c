-- Their records are there: they run no more, and were not lost after all. An older attempt of the same job stays: what
-- killed its shadow wrote no record, and it is given up in its time. A slot's clock may be a minute behind.
WITH found_again AS (
    DELETE FROM mlinfn.attempt AS a
    USING staged_attempt AS s
    WHERE a.outcome = 'vanished' AND a.access_point = %(access_point)s AND a.cluster = s.cluster AND a.proc = s.proc
        AND a.submitted_at = to_timestamp(s.submitted)
        AND a.started_at BETWEEN to_timestamp(s.started - 60) AND to_timestamp(s.ended)
)
DELETE FROM mlinfn.running AS r
USING staged_attempt AS s
WHERE r.access_point = %(access_point)s AND r.cluster = s.cluster AND r.proc = s.proc
    AND r.submitted_at = to_timestamp(s.submitted)
    AND r.started_at BETWEEN to_timestamp(s.started - 60) AND to_timestamp(s.ended)
