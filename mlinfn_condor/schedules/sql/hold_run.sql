-- One at a time works on a run. A submitter that was killed lets go when the server notices; until then nobody goes on.
SELECT pg_try_advisory_lock(hashtext('mlinfn.run'), hashtext(%(mark)s))
