-- When the pool was last looked at, how large the database is, and how many days over are still to be added up.
SELECT
    extract(epoch FROM greatest(
        (SELECT max(upper(during)) FROM mlinfn.device_period WHERE source = 'pool'),
        (SELECT max(at) FROM mlinfn.device_counter), (SELECT max(seen_at) FROM mlinfn.running)))::double precision,
    pg_database_size(current_database()),
    (SELECT count(*) FROM mlinfn.day_state
        WHERE NOT sums_only AND (rolled_at IS NULL OR rolled_at <= changed_at)
            AND day < (%(now)s::timestamptz AT TIME ZONE 'UTC')::date)
