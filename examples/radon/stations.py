"""`python stations.py --url URL --token-file FILE --rows 8000`: the stations send, several at once, by token alone.

Each reading has a name (`id`) that its station gives it. A station that saw no answer sends the same once more, and
names that are there already are ignored: nothing is lost, and nothing comes twice.
"""

import argparse
import json
import threading
import time
import uuid
from pathlib import Path

import nature
import urllib3

TABLE = "radon_reading"
AGAIN = urllib3.Retry(total=20, backoff_factor=0.5, status_forcelist=[500, 502, 503, 504], allowed_methods=None)
HEADERS = {"Content-Type": "application/json", "Prefer": "return=minimal, resolution=ignore-duplicates"}


def readings(count: int, seed: int) -> list[dict[str, object]]:
    """So many, with names."""
    seen = nature.measure(count, seed)
    names = ("station", "hour", "pressure_hpa", "humidity", "becquerel_m3")
    columns = (getattr(seen, name).tolist() for name in names)
    return [{"id": str(uuid.uuid4())} | dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def send(url: str, token: str, count: int, seed: int, at_once: int = 25, pause: float = 0.0) -> None:
    """Send so many readings, `at_once` in a request."""
    rows = readings(count, seed)
    bearer = {"Authorization": f"Bearer {token}"}
    with urllib3.PoolManager(retries=AGAIN) as http:
        for begin in range(0, count, at_once):
            body = json.dumps(rows[begin : begin + at_once])
            answer = http.request("POST", f"{url}/{TABLE}", body=body, headers=HEADERS | bearer)
            if answer.status not in (200, 201):
                raise SystemExit(f"refused: {answer.data.decode()}")
            time.sleep(pause)


def main() -> None:
    """Until all rows are sent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--stations", type=int, default=4, help="so many send at once")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two requests of one")
    asked = parser.parse_args()
    each, token = asked.rows // asked.stations, asked.token_file.read_text().strip()
    threads = [
        threading.Thread(target=send, args=(asked.url, token, each, seed, 25, asked.pause))
        for seed in range(asked.stations)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
