-- Schedules that a file declares: what it leaves out is removed, and nothing that somebody added by hand.
ALTER TABLE mlinfn_schedule.schedule ADD COLUMN declared_in text NOT NULL DEFAULT '';
COMMENT ON COLUMN mlinfn_schedule.schedule.declared_in IS 'Name of the site whose file declares it; empty: added by hand.';

-- For metrics: how many, how they do, and how late. No command, no person.
CREATE VIEW mlinfn_schedule.health AS
SELECT
    s.kind,
    count(DISTINCT s.number) FILTER (WHERE s.removed_at IS NULL) AS schedules,
    count(r.state) FILTER (WHERE r.state = 'done') AS done,
    count(r.state) FILTER (WHERE r.state IN ('failed', 'refused')) AS failed,
    count(r.state) FILTER (WHERE r.state IN ('skipped', 'removed')) AS skipped,
    count(r.state) FILTER (WHERE r.state IN ('submitting', 'submitted')) AS running,
    min(r.start_at) FILTER (WHERE r.state = 'due' AND NOT EXISTS (
        SELECT FROM mlinfn_schedule.run AS before
        WHERE before.schedule = r.schedule AND before.state = 'submitted')) AS due_since
FROM mlinfn_schedule.schedule AS s LEFT JOIN mlinfn_schedule.run AS r ON r.schedule = s.number
GROUP BY s.kind;
COMMENT ON VIEW mlinfn_schedule.health IS 'By kind. due_since: start of the first run that waits for nothing but its time and the scheduler.';
GRANT SELECT ON mlinfn_schedule.health TO mlinfn_reports;
