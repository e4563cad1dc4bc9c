-- Only the entry: the slot is made on the site by ourselves, so that each step can be repeated after a crash.
CREATE SUBSCRIPTION {subscription} CONNECTION {connection} PUBLICATION {publication}
WITH (connect = false, slot_name = {slot})
