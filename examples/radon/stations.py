"""`python stations.py --dsn DSN --rows 5000`: the stations write, several at once, a few rows in each transaction."""

import argparse
import threading
import time

import nature
import psycopg

INSERT = "INSERT INTO radon.reading (station, hour, pressure_hpa, humidity, becquerel_m3) VALUES (%s, %s, %s, %s, %s)"


def write(dsn: str, count: int, seed: int, at_once: int = 25, pause: float = 0.0) -> None:
    """Write so many readings, `at_once` in a transaction."""
    seen = nature.measure(count, seed)
    columns = (seen.station, seen.hour, seen.pressure_hpa, seen.humidity, seen.becquerel_m3)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    with psycopg.connect(dsn) as connection:
        for begin in range(0, count, at_once):
            with connection.cursor() as cursor:
                cursor.executemany(INSERT, rows[begin : begin + at_once])
            time.sleep(pause)  # the transaction stays open: rows of others overtake these
            connection.commit()


def main() -> None:
    """Until all rows are written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.1, help="seconds that a transaction stays open")
    asked = parser.parse_args()
    each = asked.rows // asked.writers
    threads = [
        threading.Thread(target=write, args=(asked.dsn, each, seed, 25, asked.pause)) for seed in range(asked.writers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
