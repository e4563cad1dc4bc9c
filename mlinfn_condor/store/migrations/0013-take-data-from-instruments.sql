-- Data from instruments, by the contract of PostgREST: what is offered lies in schema `api`, whoever asks shows a token, its
-- claims decide as which role the request goes on and which rows it sees. PostgREST and `mlinfn ingest serve` both enter as
-- mlinfn_rest, go on as mlinfn_visitor, who may nothing, and call mlinfn_ingest.enter(), which makes them the role of a project.
-- Schemas of their own: they are this site's alone, and no mirror carries them.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['mlinfn_rest', 'mlinfn_visitor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOINHERIT %s', role, CASE role WHEN 'mlinfn_rest' THEN 'LOGIN' ELSE 'NOLOGIN' END);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;  -- another migration of this server was first
            END;
        END IF;
    END LOOP;
END $$;
GRANT mlinfn_visitor TO mlinfn_rest;

CREATE SCHEMA api;
CREATE SCHEMA mlinfn_ingest;
REVOKE ALL ON SCHEMA mlinfn_ingest FROM PUBLIC;
GRANT USAGE ON SCHEMA mlinfn_ingest TO mlinfn_rest, mlinfn_visitor;

CREATE TABLE mlinfn_ingest.provider (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    issuer text NOT NULL,
    audience text NOT NULL,
    scope text NOT NULL DEFAULT '',
    groups_claim text NOT NULL DEFAULT 'groups'
);
COMMENT ON TABLE mlinfn_ingest.provider IS 'Whose tokens are believed. No row: nobody''s.';
COMMENT ON COLUMN mlinfn_ingest.provider.scope IS 'What a token must have been issued for; empty: anything.';

CREATE TABLE mlinfn_ingest.membership (
    group_name text NOT NULL,
    project text NOT NULL CHECK (project ~ '^[a-z][a-z0-9_-]{0,30}$'),
    PRIMARY KEY (group_name, project)
);
COMMENT ON TABLE mlinfn_ingest.membership IS 'Group at the provider → project, whose role is mlinfn_project_<project>.';

CREATE TABLE mlinfn_ingest.declared (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,47}$'),
    projects text[] NOT NULL,
    key text[] NOT NULL,
    retention_days integer CHECK (retention_days > 0),
    units jsonb NOT NULL DEFAULT '{}',
    declared_in text NOT NULL DEFAULT '',
    added_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE mlinfn_ingest.declared IS 'Tables of schema api, whose they are, and how long their rows stay.';
COMMENT ON COLUMN mlinfn_ingest.declared.key IS 'What tells rows of a project apart; id where nothing was said.';
COMMENT ON COLUMN mlinfn_ingest.declared.declared_in IS 'Which file declares it; empty: mlinfn ingest table add.';

-- Whose request this is. By the claims alone: it is asked for each statement again, and no request can set it.
CREATE FUNCTION mlinfn_ingest.project() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    headers jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
    wanted text := headers ->> 'x-mlinfn-project';
    told jsonb;
    known mlinfn_ingest.provider;
    projects text[];
BEGIN
    SELECT * INTO known FROM mlinfn_ingest.provider;
    IF claims IS NULL OR claims ->> 'iss' IS NULL THEN
        RAISE EXCEPTION 'Anonymous access is disabled' USING ERRCODE = 'PT401', HINT = 'Send Authorization: Bearer and a token.';
    END IF;
    IF known IS NULL THEN
        RAISE EXCEPTION 'No provider''s tokens are believed here' USING ERRCODE = 'PT403', HINT = 'mlinfn ingest apply FILE';
    END IF;
    IF rtrim(claims ->> 'iss', '/') <> rtrim(known.issuer, '/') THEN
        RAISE EXCEPTION 'The token is of another issuer' USING ERRCODE = 'PT401';
    END IF;
    -- aud is a text or a list of them; in jsonb a list contains a text as well as a list of it.
    IF claims -> 'aud' IS NULL OR NOT (jsonb_build_array() || (claims -> 'aud')) @> to_jsonb(known.audience) THEN
        RAISE EXCEPTION 'The token is for another audience' USING ERRCODE = 'PT401';
    END IF;
    IF known.scope <> '' AND NOT known.scope = ANY (string_to_array(coalesce(claims ->> 'scope', ''), ' ')) THEN
        RAISE EXCEPTION 'The token lacks the scope %', known.scope USING ERRCODE = 'PT403';
    END IF;
    told := coalesce(claims -> known.groups_claim, claims #> string_to_array(known.groups_claim, '.'));
    SELECT array_agg(DISTINCT m.project) INTO projects
    FROM mlinfn_ingest.membership AS m
    WHERE jsonb_typeof(told) = 'array' AND told @> to_jsonb(m.group_name);
    IF projects IS NULL THEN
        RAISE EXCEPTION 'The token''s groups have no project here' USING ERRCODE = 'PT403';
    END IF;
    IF wanted IS NOT NULL THEN
        IF NOT wanted = ANY (projects) THEN
            RAISE EXCEPTION 'The token''s groups are not of that project' USING ERRCODE = 'PT403',
                HINT = format('X-Mlinfn-Project may be %s.', array_to_string(projects, ', '));
        END IF;
        RETURN wanted;
    END IF;
    IF cardinality(projects) > 1 THEN
        RAISE EXCEPTION 'The token''s groups are of several projects' USING ERRCODE = 'PT400',
            HINT = format('Say which with the header X-Mlinfn-Project: %s.', array_to_string(projects, ', '));
    END IF;
    RETURN projects[1];
END $$;

-- Before each request. What it sets ends with the transaction. The two settings fill columns: each row would ask the claims
-- otherwise. They open nothing, for the policies ask the claims.
CREATE FUNCTION mlinfn_ingest.enter() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    project text := mlinfn_ingest.project();
BEGIN
    PERFORM set_config('mlinfn.project', project, true),
        set_config('mlinfn.sender', coalesce(current_setting('request.jwt.claims')::jsonb ->> 'sub', ''), true),
        set_config('role', 'mlinfn_project_' || project, true);
END $$;
COMMENT ON FUNCTION mlinfn_ingest.enter IS 'PostgREST''s db-pre-request.';

CREATE FUNCTION mlinfn_ingest.add_project(project text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    role text := 'mlinfn_project_' || project;
BEGIN
    IF project !~ '^[a-z][a-z0-9_-]{0,30}$' THEN
        RAISE EXCEPTION 'no name of a project: %', project USING ERRCODE = 'invalid_name';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- for another database of this server
        END;
    END IF;
    EXECUTE format('GRANT %I TO mlinfn_rest', role);
    EXECUTE format('GRANT USAGE ON SCHEMA api, mlinfn_ingest TO %I', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION mlinfn_ingest.project() TO %I', role);
END $$;

-- A table as it is declared: made, or brought up to it. What instruments have written is never taken away here, and no type
-- is changed. The columns that we add say whose a row is, who sent it and when; nobody may set them.
CREATE FUNCTION mlinfn_ingest.declare(
    wanted text, projects text[], columns jsonb, key text[], retention_days integer, declared_in text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    types CONSTANT text[] := ARRAY['bigint', 'integer', 'real', 'double precision', 'numeric', 'text', 'boolean',
        'timestamptz', 'date', 'jsonb', 'uuid'];
    taken CONSTANT text[] := ARRAY['id', 'project', 'sent_by', 'received_at', 'written_by'];
    at regclass := to_regclass(format('api.%I', wanted));
    told jsonb;
    found text;
    project text;
    names text[];
    is_new boolean := at IS NULL;
BEGIN
    IF wanted !~ '^[a-z][a-z0-9_]{0,47}$' THEN
        RAISE EXCEPTION 'no name of a table: %', wanted USING ERRCODE = 'invalid_name';
    END IF;
    IF is_new THEN
        EXECUTE format('CREATE TABLE api.%I (project text NOT NULL DEFAULT current_setting(''mlinfn.project''),
            sent_by text NOT NULL DEFAULT current_setting(''mlinfn.sender''), received_at timestamptz NOT NULL DEFAULT now())', wanted);
        at := to_regclass(format('api.%I', wanted));
        IF cardinality(key) = 0 THEN
            EXECUTE format('ALTER TABLE %s ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid()', at);
        END IF;
    ELSIF (SELECT d.key FROM mlinfn_ingest.declared AS d WHERE d.name = wanted)
            IS DISTINCT FROM (CASE WHEN cardinality(key) = 0 THEN ARRAY['id'] ELSE key END) THEN
        RAISE EXCEPTION 'the key of % stays as it is', wanted USING ERRCODE = 'feature_not_supported',
            HINT = 'Declare another table, and copy what you want to keep.';
    END IF;
    FOR told IN SELECT jsonb_array_elements(columns) LOOP
        IF told ->> 'name' !~ '^[a-z][a-z0-9_]{0,47}$' OR told ->> 'name' = ANY (taken) THEN
            RAISE EXCEPTION 'no name of a column: %', told ->> 'name' USING ERRCODE = 'invalid_name';
        END IF;
        IF NOT told ->> 'type' = ANY (types) THEN
            RAISE EXCEPTION 'no type: %', told ->> 'type' USING ERRCODE = 'undefined_object';
        END IF;
        SELECT format_type(a.atttypid, a.atttypmod) INTO found FROM pg_attribute AS a
        WHERE a.attrelid = at AND a.attname = told ->> 'name' AND NOT a.attisdropped;
        IF found IS NULL THEN
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s %s', at, told ->> 'name', told ->> 'type',
                -- rows that are there have no value in it
                CASE WHEN is_new AND NOT (told ->> 'optional')::boolean THEN 'NOT NULL' ELSE '' END);
        ELSIF found <> replace(told ->> 'type', 'timestamptz', 'timestamp with time zone') THEN
            RAISE EXCEPTION 'column % of % is %', told ->> 'name', wanted, found USING ERRCODE = 'feature_not_supported',
                HINT = 'Declare another column, and leave this one as it is.';
        END IF;
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', at, told ->> 'name', told ->> 'unit');
        names := names || (told ->> 'name');
    END LOOP;
    IF is_new THEN
        -- The project first: keys of one project are not another's business, not even by a conflict.
        EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (project, %s)', at,
            (SELECT string_agg(quote_ident(k), ', ' ORDER BY n)
             FROM unnest(CASE WHEN cardinality(key) = 0 THEN ARRAY['id'] ELSE key END) WITH ORDINALITY AS u (k, n)));
        EXECUTE format('CREATE INDEX ON %s (received_at)', at);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', at);
        EXECUTE format('CREATE POLICY own ON %s USING (project = (SELECT mlinfn_ingest.project()))
            WITH CHECK (project = (SELECT mlinfn_ingest.project()))', at);
        EXECUTE format('CREATE POLICY count ON %s FOR SELECT TO mlinfn_schedules USING (true)', at);
        PERFORM mlinfn_schedule.watch(at);
    END IF;
    FOR found IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'mlinfn\_project\_%'
            AND has_table_privilege(oid, at, 'SELECT') AND NOT substr(rolname, 16) = ANY (projects) LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', at, found);
    END LOOP;
    IF cardinality(key) = 0 THEN
        names := names || ARRAY['id'];
    END IF;
    FOREACH project IN ARRAY projects LOOP
        PERFORM mlinfn_ingest.add_project(project);
        EXECUTE format('GRANT SELECT ON %s TO %I', at, 'mlinfn_project_' || project);
        EXECUTE format('GRANT INSERT (%1$s), UPDATE (%1$s) ON %2$s TO %3$I',
            (SELECT string_agg(quote_ident(n), ', ') FROM unnest(names) AS n), at, 'mlinfn_project_' || project);
    END LOOP;
    INSERT INTO mlinfn_ingest.declared AS d (name, projects, key, retention_days, units, declared_in)
    VALUES (wanted, projects, CASE WHEN cardinality(key) = 0 THEN ARRAY['id'] ELSE key END, retention_days,
        (SELECT coalesce(jsonb_object_agg(c ->> 'name', c ->> 'unit'), '{}') FROM jsonb_array_elements(columns) AS c), declared_in)
    ON CONFLICT (name) DO UPDATE SET projects = excluded.projects, retention_days = excluded.retention_days,
        units = d.units || excluded.units, declared_in = excluded.declared_in;
    PERFORM pg_notify('pgrst', 'reload schema');
    RETURN is_new;
END $$;

-- Rows of a table, at most so many, that are older than its project wants to keep them.
CREATE FUNCTION mlinfn_ingest.forget(wanted text, most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    days integer := (SELECT d.retention_days FROM mlinfn_ingest.declared AS d WHERE d.name = wanted);
    gone bigint := 0;
BEGIN
    IF days IS NOT NULL THEN
        EXECUTE format('DELETE FROM api.%1$I WHERE ctid IN (SELECT ctid FROM api.%1$I
            WHERE received_at < now() - make_interval(days => $1) LIMIT $2)', wanted) USING days, most;
        GET DIAGNOSTICS gone = ROW_COUNT;
    END IF;
    RETURN gone;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mlinfn_ingest FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mlinfn_ingest.enter(), mlinfn_ingest.project() TO mlinfn_rest, mlinfn_visitor;
GRANT SELECT ON mlinfn_ingest.declared TO mlinfn_rest, mlinfn_schedules, mlinfn_recorder;
GRANT USAGE ON SCHEMA mlinfn_ingest TO mlinfn_schedules, mlinfn_recorder;
GRANT EXECUTE ON FUNCTION mlinfn_ingest.forget TO mlinfn_schedules, mlinfn_recorder;
