INSERT INTO mlinfn.spawn (clicked_at, username, server, project, model, job, ready_at, outcome, reason)
VALUES (
    to_timestamp(%(clicked)s), %(username)s, %(server)s, %(project)s, %(model)s, %(job)s, to_timestamp(%(ready)s),
    %(outcome)s, %(reason)s)
ON CONFLICT DO NOTHING
