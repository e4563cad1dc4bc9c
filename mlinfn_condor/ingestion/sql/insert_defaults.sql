-- A row of which nothing was said: PostgreSQL tells what is missing.
INSERT INTO api.{table} DEFAULT VALUES
