-- The mirror's slot and those of tables that were still being copied; a sender that is still there is sent away first
-- and given five seconds.
SELECT pg_drop_replication_slot(slot_name)
FROM (
    SELECT slot_name, CASE WHEN active THEN pg_terminate_backend(active_pid, 5000) END AS sent_away
    FROM pg_replication_slots
    WHERE database = current_database()
        AND (slot_name = %(slot)s OR slot_name LIKE 'pg\_' || %(subscription)s || '\_sync\_%%')
    OFFSET 0
) AS slots
