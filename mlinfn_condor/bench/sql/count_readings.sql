-- What clients have written.
SELECT count(*) FROM api.reading
