-- What groups open is written anew.
DELETE FROM mlinfn_ingest.membership
