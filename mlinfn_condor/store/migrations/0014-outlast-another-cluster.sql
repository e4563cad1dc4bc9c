-- A dump brings numbers of another cluster's transactions along: in rows that are watched, in marks, in jobs. A cluster that
-- is younger would take new rows for old ones. So it gives its numbers away until it is older: some 200,000 a second.
-- Called once after a restore, before anything is written.
CREATE PROCEDURE mlinfn_schedule.outlast() LANGUAGE plpgsql AS $$
DECLARE
    latest xid8 := '0';
    one xid8;
    told text;
    watched regclass;
BEGIN
    PERFORM set_config('row_security', 'off', false), set_config('synchronous_commit', 'off', false);
    FOR told IN
        SELECT mark FROM mlinfn_schedule.schedule WHERE kind = 'rows' AND mark <> ''
        UNION
        SELECT run.until FROM mlinfn_schedule.run JOIN mlinfn_schedule.schedule ON number = schedule
        WHERE kind = 'rows' AND run.until <> ''
    LOOP
        one := pg_snapshot_xmax(told::pg_snapshot);
        IF one > latest THEN latest := one; END IF;
    END LOOP;
    FOR watched IN SELECT tgrelid FROM pg_trigger WHERE tgname = 'mlinfn_tell_of_rows' LOOP
        EXECUTE format('SELECT written_by FROM %s ORDER BY written_by DESC LIMIT 1', watched) INTO one;
        IF one > latest THEN latest := one; END IF;
    END LOOP;
    WHILE pg_current_xact_id() < latest LOOP
        COMMIT;
    END LOOP;
END $$;
