-- Sums over PostgreSQL's own account of what there is: relations, columns, functions, policies, triggers, rights, roles.
SELECT
    (SELECT md5(string_agg(format('%s %s %s %s', oid, relname, relacl, relrowsecurity), ',' ORDER BY oid))
     FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_(toast|temp)'),
    (SELECT md5(string_agg(format('%s %s %s %s', attrelid, attname, atttypid, attacl), ',' ORDER BY attrelid, attnum))
     FROM pg_attribute),
    (SELECT md5(string_agg(format('%s %s %s', oid, proname, proacl), ',' ORDER BY oid)) FROM pg_proc),
    (SELECT md5(string_agg(format('%s %s %s', oid, polname, polrelid), ',' ORDER BY oid)) FROM pg_policy),
    (SELECT md5(string_agg(format('%s %s', oid, tgname), ',' ORDER BY oid)) FROM pg_trigger),
    (SELECT md5(string_agg(format('%s %s', oid, nspacl), ',' ORDER BY oid)) FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'),
    (SELECT md5(string_agg(format('%s %s %s %s', oid, rolname, rolsuper, rolcanlogin), ',' ORDER BY oid)) FROM pg_roles),
    (SELECT md5(string_agg(format('%s %s', roleid, member), ',' ORDER BY roleid, member)) FROM pg_auth_members)
