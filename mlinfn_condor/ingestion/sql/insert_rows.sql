-- All rows of a request, or none. is_new: what a conflict has changed is not.
WITH written AS (
    INSERT INTO api.{table} ({columns})
    SELECT {values} FROM json_to_recordset(%(rows)s::json) AS sent ({typed})
    {conflict}
    RETURNING *, xmax = 0 AS mlinfn_is_new
), told AS (SELECT {returned} FROM written)
SELECT
    (SELECT count(*) FROM written),
    (SELECT count(*) FROM written WHERE mlinfn_is_new),
    {answer}
