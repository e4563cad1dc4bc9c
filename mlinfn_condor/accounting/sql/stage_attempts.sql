CREATE TEMPORARY TABLE IF NOT EXISTS staged_attempt (
    cluster integer, proc integer, run integer, submitted bigint, started bigint, ended bigint, exit_code bigint,
    memory_mb integer, memory_asked_mb integer, memory_peak_kb bigint, device_memory_peak_mb integer,
    cpus real, cpus_asked real, cpus_used real, devices_busy real, watts real, lost_s real,
    outcome text, username text, project text, class text, node text, slot text, task text, devices text[], model text,
    reason text
) ON COMMIT DELETE ROWS
