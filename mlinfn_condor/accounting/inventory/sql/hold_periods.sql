-- Recorder and other imports wait until this one is done: what it cuts must not grow back meanwhile.
LOCK TABLE mlinfn.device_period, mlinfn.machine_grant IN SHARE ROW EXCLUSIVE MODE
