SELECT name FROM mlinfn.machine_grant WHERE source = 'pool'
UNION
SELECT node FROM mlinfn.device_period WHERE source = 'pool'
