-- Whether somebody has written into it.
SELECT EXISTS (SELECT FROM api.{table})
