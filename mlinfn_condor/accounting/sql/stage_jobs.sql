CREATE TEMPORARY TABLE IF NOT EXISTS staged_job (
    cluster integer, proc integer, submitted bigint, left_queue bigint, starts integer, exit_code bigint, run_s real,
    status text, username text, project text, class text, reason text
) ON COMMIT DELETE ROWS
