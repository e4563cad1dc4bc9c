-- The same columns, and nothing else.
CREATE TABLE plain_reading (station integer, taken_at timestamptz, becquerel_m3 real, note text)
