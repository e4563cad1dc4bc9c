-- Compiling the expressions takes longer than evaluating them.
SELECT set_config('statement_timeout', %(ms)s::text, true), set_config('jit', 'off', true)
