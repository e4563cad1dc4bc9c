CREATE TEMPORARY TABLE staged_machine (
    name text, during tstzrange, given_to text, cpus integer, memory_mb integer
) ON COMMIT DROP
