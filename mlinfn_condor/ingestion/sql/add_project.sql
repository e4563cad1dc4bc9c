-- The role of a project, and its way in.
SELECT mlinfn_ingest.add_project(%(project)s)
