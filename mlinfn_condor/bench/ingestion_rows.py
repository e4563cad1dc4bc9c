"""Readings as a station sends them."""

import math


def readings(station: int, count: int) -> list[dict[str, object]]:
    """So many of one station, each at a time of its own."""
    return [
        {
            "station": station,
            "taken_at": f"2026-01-01T{n // 60_000_000:02}:{n // 1_000_000 % 60:02}:00.{n % 1_000_000:06}Z",
            "becquerel_m3": round(150 + 80 * math.sin(n / 500), 1),
            "note": "cellar",
        }
        for n in range(count)
    ]
