INSERT INTO mlinfn.device (node, device, kind, model)
SELECT 'server' || d / 8, 'GPU-' || d, 'gpu', (ARRAY['T4', 'RTX5000', 'A30', 'A100'])[1 + d / 4]
FROM generate_series(0, %(devices)s - 1) AS d
