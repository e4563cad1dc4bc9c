-- Months of which every day is added up are added up too, for reports that do not ask which day it was.

CREATE TABLE mlinfn.month_state (
    month date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    rolled_at timestamptz NOT NULL
);
COMMENT ON TABLE mlinfn.month_state IS 'Months (UTC, their first day) that were added up. One of whose days was added up later is read day by day.';

CREATE TABLE mlinfn.month_use (LIKE mlinfn.day_use INCLUDING INDEXES);
ALTER TABLE mlinfn.month_use RENAME COLUMN day TO month;
COMMENT ON TABLE mlinfn.month_use IS 'The sum of day_use over a month (UTC, its first day).';

CREATE TABLE mlinfn.month_size (
    month date NOT NULL,
    model text NOT NULL,
    class text NOT NULL,
    quantity text NOT NULL,
    value real NOT NULL,
    tasks integer NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    PRIMARY KEY (month, model, class, quantity, value)
);
COMMENT ON TABLE mlinfn.month_size IS 'The sum of day_size over a month (UTC, its first day), and the days that had such attempts.';

CREATE FUNCTION mlinfn.roll_up_month(wanted date) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    after date := wanted + interval '1 month';
    began timestamptz;
BEGIN
    -- Whoever changes a day of this month or adds it up waits here or makes us wait, as does another who adds this month up.
    PERFORM FROM mlinfn.day_state WHERE day >= wanted AND day < after ORDER BY day FOR UPDATE;
    began := clock_timestamp();
    DELETE FROM mlinfn.month_use WHERE month = wanted;
    DELETE FROM mlinfn.month_size WHERE month = wanted;
    INSERT INTO mlinfn.month_use
    SELECT wanted, node, device, owner_project, given_to, granted, username, project, class,
        sum(attempts), sum(displaced), sum(failed), sum(claimed_s), sum(lost_s), sum(busy_s), sum(measured_s), sum(joules),
        sum(energy_s), sum(handover_s), sum(cpu_s)
    FROM mlinfn.day_use WHERE day >= wanted AND day < after
    GROUP BY node, device, owner_project, given_to, granted, username, project, class;
    INSERT INTO mlinfn.month_size
    SELECT wanted, model, class, quantity, value, sum(tasks), min(day), max(day)
    FROM mlinfn.day_size WHERE day >= wanted AND day < after
    GROUP BY model, class, quantity, value;
    INSERT INTO mlinfn.month_state VALUES (wanted, began) ON CONFLICT (month) DO UPDATE SET rolled_at = began;
END $$;
COMMENT ON FUNCTION mlinfn.roll_up_month IS 'Add the sums of a month''s days up, as often as one likes. It wants the first day.';
GRANT EXECUTE ON FUNCTION mlinfn.roll_up_month TO mlinfn_recorder;

CREATE FUNCTION mlinfn.months(lo timestamptz, hi timestamptz) RETURNS TABLE (month date)
    LANGUAGE sql STABLE AS $$
    SELECT m.month FROM mlinfn.month_state AS m
    WHERE m.month::timestamp AT TIME ZONE 'UTC' >= lo AND (m.month + interval '1 month') AT TIME ZONE 'UTC' <= hi
        AND NOT EXISTS (
            SELECT FROM mlinfn.day_state AS s WHERE s.day >= m.month AND s.day < m.month + interval '1 month'
                AND ((s.sums_only OR s.rolled_at > s.changed_at) IS NOT TRUE OR s.rolled_at >= m.rolled_at))
$$;
COMMENT ON FUNCTION mlinfn.months IS 'Months of a period whose sums can be taken: no day of them changed, or was added up, since they were.';

CREATE FUNCTION mlinfn.parts_beside_months(lo timestamptz, hi timestamptz)
    RETURNS TABLE (day date, whole boolean, from_at timestamptz, to_at timestamptz)
    LANGUAGE sql STABLE AS $$
    SELECT p.* FROM mlinfn.parts(lo, hi) AS p
    WHERE date_trunc('month', p.day::timestamp)::date NOT IN (SELECT month FROM mlinfn.months(lo, hi))
$$;
COMMENT ON FUNCTION mlinfn.parts_beside_months IS 'The days of a period that lie in none of its months.';

CREATE FUNCTION mlinfn.use_in(lo timestamptz, hi timestamptz, daily boolean) RETURNS SETOF mlinfn.day_use
    LANGUAGE sql STABLE AS $$
    SELECT u.* FROM mlinfn.use_in(lo, hi) AS u WHERE daily
    UNION ALL
    SELECT u.* FROM mlinfn.months(lo, hi) AS m JOIN mlinfn.month_use AS u USING (month) WHERE NOT daily
    UNION ALL
    SELECT u.* FROM mlinfn.parts_beside_months(lo, hi) AS p JOIN mlinfn.day_use AS u ON u.day = p.day WHERE p.whole AND NOT daily
    UNION ALL
    SELECT p.day, u.* FROM mlinfn.parts_beside_months(lo, hi) AS p
    CROSS JOIN LATERAL mlinfn.use_between(p.from_at, p.to_at) AS u WHERE p.whole IS NOT TRUE AND NOT daily
$$;
COMMENT ON FUNCTION mlinfn.use_in(timestamptz, timestamptz, boolean) IS
'Device seconds of any period, by device and who used it. daily: by day; otherwise a whole month stands at its first day.';

CREATE FUNCTION mlinfn.size_spans_in(lo timestamptz, hi timestamptz)
    RETURNS TABLE (model text, class text, quantity text, value real, tasks integer, first_day date, last_day date)
    LANGUAGE sql STABLE AS $$
    SELECT s.model, s.class, s.quantity, s.value, s.tasks, s.first_day, s.last_day
    FROM mlinfn.months(lo, hi) AS m JOIN mlinfn.month_size AS s USING (month)
    UNION ALL
    SELECT s.model, s.class, s.quantity, s.value, s.tasks, s.day, s.day
    FROM mlinfn.parts_beside_months(lo, hi) AS p JOIN mlinfn.day_size AS s ON s.day = p.day WHERE p.whole
    UNION ALL
    SELECT s.model, s.class, s.quantity, s.value, s.tasks, p.day, p.day
    FROM mlinfn.parts_beside_months(lo, hi) AS p
    CROSS JOIN LATERAL mlinfn.sizes_between(p.from_at, p.to_at) AS s WHERE p.whole IS NOT TRUE
$$;
COMMENT ON FUNCTION mlinfn.size_spans_in IS 'As sizes_in, with the first and the last day of each row: a month''s, or one day.';
