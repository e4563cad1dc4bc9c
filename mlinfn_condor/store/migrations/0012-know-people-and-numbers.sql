-- People, projects and their numbers: one table for hub, pods and homes. A schema of its own: it is this site's alone, no
-- mirror carries it, and neither recorder nor reports have a part in it. A number that was given once belongs to that person or
-- project for ever: files, backups and archives carry it, and know nobody's name.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mlinfn_identity') THEN
        BEGIN
            CREATE ROLE mlinfn_identity LOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another migration of this server was first
        END;
    END IF;
END $$;

CREATE SCHEMA mlinfn_identity;
GRANT USAGE ON SCHEMA mlinfn_identity TO mlinfn_identity;

CREATE TABLE mlinfn_identity.site (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    first integer NOT NULL CHECK (first >= 1000),
    last integer NOT NULL CHECK (last >= first),
    keep_days integer NOT NULL CHECK (keep_days >= 0)
);
COMMENT ON TABLE mlinfn_identity.site IS 'Which numbers this site gives, to people and projects alike, and how long a leaver''s data stay.';

CREATE TABLE mlinfn_identity.person (
    uid integer PRIMARY KEY CHECK (uid >= 1000),
    name text NOT NULL CHECK (name ~ '^[a-z_][a-z0-9_.-]{0,31}$'),
    subject text,
    joined_at timestamptz NOT NULL,
    left_at timestamptz,
    released_at timestamptz CHECK (left_at IS NOT NULL OR released_at IS NULL)
);
CREATE UNIQUE INDEX person_name ON mlinfn_identity.person (name) WHERE released_at IS NULL;
CREATE UNIQUE INDEX person_subject ON mlinfn_identity.person (subject) WHERE released_at IS NULL;
COMMENT ON TABLE mlinfn_identity.person IS 'Everybody who ever was here. His own group has his name and his number.';
COMMENT ON COLUMN mlinfn_identity.person.subject IS 'The identity provider''s unchangeable name for him: issuer#sub. Null: it never told of him.';
COMMENT ON COLUMN mlinfn_identity.person.left_at IS 'Since then no source vouches for him. His data stay for keep_days.';
COMMENT ON COLUMN mlinfn_identity.person.released_at IS 'His data are gone: his name is free for others. His number never is.';

CREATE TABLE mlinfn_identity.standing (
    uid integer NOT NULL REFERENCES mlinfn_identity.person,
    source text NOT NULL,
    projects text[] NOT NULL,
    PRIMARY KEY (uid, source)
);
COMMENT ON TABLE mlinfn_identity.standing IS 'Who vouches for a person (the hub''s accounts, a file), and with which projects, the first being the default one.';

CREATE TABLE mlinfn_identity.former_name (
    uid integer NOT NULL REFERENCES mlinfn_identity.person,
    name text NOT NULL,
    PRIMARY KEY (uid, name)
);
COMMENT ON TABLE mlinfn_identity.former_name IS 'Names that people had before. Nobody else gets one while its person''s data are here.';

CREATE TABLE mlinfn_identity.project (
    name text PRIMARY KEY CHECK (name ~ '^[a-z_][a-z0-9_.-]{0,31}$'),
    gid integer NOT NULL UNIQUE CHECK (gid >= 1000)
);
COMMENT ON TABLE mlinfn_identity.project IS 'Group of each project. A project that nobody is in keeps its number.';

CREATE FUNCTION mlinfn_identity.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'numbers are for ever: a row of mlinfn_identity.% is neither taken away nor given another number', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER keep_numbers BEFORE DELETE OR TRUNCATE ON mlinfn_identity.person
    FOR EACH STATEMENT EXECUTE FUNCTION mlinfn_identity.refuse();
CREATE TRIGGER keep_numbers BEFORE DELETE OR TRUNCATE ON mlinfn_identity.project
    FOR EACH STATEMENT EXECUTE FUNCTION mlinfn_identity.refuse();
CREATE TRIGGER keep_number BEFORE UPDATE ON mlinfn_identity.person
    FOR EACH ROW WHEN (OLD.uid <> NEW.uid) EXECUTE FUNCTION mlinfn_identity.refuse();
CREATE TRIGGER keep_number BEFORE UPDATE ON mlinfn_identity.project
    FOR EACH ROW WHEN (OLD.gid <> NEW.gid OR OLD.name <> NEW.name) EXECUTE FUNCTION mlinfn_identity.refuse();

-- A number is one person's or one project's, never both: the group of a person has his number.
CREATE FUNCTION mlinfn_identity.one_holder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM mlinfn_identity.person AS p JOIN mlinfn_identity.project AS g ON g.gid = p.uid) THEN
        RAISE EXCEPTION 'a number is one person''s or one project''s, not both' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER one_holder AFTER INSERT ON mlinfn_identity.person
    FOR EACH STATEMENT EXECUTE FUNCTION mlinfn_identity.one_holder();
CREATE TRIGGER one_holder AFTER INSERT ON mlinfn_identity.project
    FOR EACH STATEMENT EXECUTE FUNCTION mlinfn_identity.one_holder();

GRANT SELECT ON ALL TABLES IN SCHEMA mlinfn_identity TO mlinfn_identity;
GRANT INSERT, UPDATE ON mlinfn_identity.site TO mlinfn_identity;
GRANT INSERT, UPDATE (name, subject, left_at, released_at) ON mlinfn_identity.person TO mlinfn_identity;
GRANT INSERT, UPDATE, DELETE ON mlinfn_identity.standing TO mlinfn_identity;
GRANT INSERT ON mlinfn_identity.former_name, mlinfn_identity.project TO mlinfn_identity;
