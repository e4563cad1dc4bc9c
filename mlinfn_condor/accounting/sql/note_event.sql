INSERT INTO mlinfn.event (at, kind, subject, detail)
VALUES (to_timestamp(%(at)s), 'glidein ' || %(kind)s, %(subject)s, %(detail)s)
ON CONFLICT DO NOTHING
