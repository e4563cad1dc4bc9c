WITH added AS (
    INSERT INTO mlinfn.job (
        left_at, submitted_at, cluster, proc, starts, exit_code, run_s, status, access_point, username, project, class,
        reason)
    SELECT
        to_timestamp(left_queue), to_timestamp(submitted), cluster, proc, starts, exit_code, run_s, status,
        %(access_point)s, username, project, class, reason
    FROM staged_job
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM added
