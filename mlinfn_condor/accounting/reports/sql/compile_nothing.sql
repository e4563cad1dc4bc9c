-- Compiling the expressions of a report takes longer than evaluating them.
SET LOCAL jit = off
