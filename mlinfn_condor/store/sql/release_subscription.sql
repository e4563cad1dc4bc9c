-- The slot is dropped on the site by ourselves: the main server need not reach it to forget it.
ALTER SUBSCRIPTION {subscription} SET (slot_name = NONE)
