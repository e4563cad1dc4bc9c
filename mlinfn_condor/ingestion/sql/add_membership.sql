-- One of the groups that open a project.
INSERT INTO mlinfn_ingest.membership (group_name, project) VALUES (%(group)s, %(project)s)
