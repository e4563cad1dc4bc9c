UPDATE mlinfn.running SET gone_at = to_timestamp(%(at)s) WHERE seen_at < to_timestamp(%(at)s) AND gone_at IS NULL
