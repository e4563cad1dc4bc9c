CREATE TEMPORARY TABLE staged_grant (
    node text, device text, kind text, model text, owner_project text, given_to text, during tstzrange
) ON COMMIT DROP
