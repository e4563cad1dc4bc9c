-- Seconds since the recorder last saw the pool (null: never), and how many records it did not understand.
SELECT
    extract(epoch FROM now() - greatest((SELECT max(at) FROM mlinfn.device_counter), (SELECT max(seen_at) FROM mlinfn.running)))::float8,
    (SELECT coalesce(sum(refused), 0) FROM mlinfn.history_cursor)
