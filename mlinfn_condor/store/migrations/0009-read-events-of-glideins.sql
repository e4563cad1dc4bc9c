-- The provisioner's journal is read like the hub's: its place is kept beside those of the histories.
ALTER TABLE mlinfn.history_cursor DROP CONSTRAINT history_cursor_kind_check;
ALTER TABLE mlinfn.history_cursor
    ADD CONSTRAINT history_cursor_kind_check CHECK (kind IN ('epoch', 'history', 'starts', 'events'));
COMMENT ON COLUMN mlinfn.event.kind IS
'glidein asked, refused, joined, retired, kept on, removed, gone: what became of a node that the provisioner asked for.';
COMMENT ON COLUMN mlinfn.event.subject IS 'Name of the glidein, which is its node''s too.';
