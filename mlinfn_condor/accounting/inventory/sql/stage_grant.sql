INSERT INTO staged_grant VALUES (%(node)s, %(device)s, %(kind)s, %(model)s, %(owner_project)s, %(given_to)s,
    tstzrange(%(since)s::timestamptz, %(until)s::timestamptz))
