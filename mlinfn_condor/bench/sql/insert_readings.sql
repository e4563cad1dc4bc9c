-- A bulk as one statement.
INSERT INTO plain_reading SELECT * FROM json_to_recordset(%(rows)s::json)
    AS sent (station integer, taken_at timestamptz, becquerel_m3 real, note text)
