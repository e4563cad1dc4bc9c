-- How many rows, and a sum that tells whether any of them was changed.
SELECT count(*), coalesce(sum(hashtext(t::text)), 0)::text FROM {table} AS t
