-- The site's range and period; no row until it has named them.
SELECT first, last, keep_days FROM mlinfn_identity.site
