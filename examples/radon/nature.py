"""Simulated radon in simulated rooms: each station has its own level, its own day and its own draught."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STATIONS = 24
HARMONICS = 4
NOISE = 0.25
"""Spread of the logarithm of a reading that nobody can predict."""
_HABITS = np.random.default_rng(222).normal(0.0, 0.25, (STATIONS, 3 + 2 * HARMONICS))
_LEVELS = np.random.default_rng(226).uniform(3.5, 6.0, STATIONS)

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Readings:
    """Columns of equal length: station, hour of the day, hPa, relative humidity, Bq/m³."""

    station: NDArray[np.int64]
    hour: Vector
    pressure_hpa: Vector
    humidity: Vector
    becquerel_m3: Vector


def features(station: NDArray[np.int64], hour: Vector, pressure_hpa: Vector, humidity: Vector) -> Vector:
    """One row a reading: for its station a level, the weather and the day's harmonics; 0 for the other stations."""
    angles = np.outer(hour * 2 * np.pi / 24, np.arange(1, HARMONICS + 1))
    weather = np.column_stack([np.ones_like(hour), (1013 - pressure_hpa) / 10, (humidity - 0.6) / 0.15])
    own = np.column_stack([weather, np.sin(angles), np.cos(angles)])
    placed = np.zeros((len(hour), STATIONS, own.shape[1]))
    placed[np.arange(len(hour)), station] = own
    return placed.reshape(len(hour), STATIONS * own.shape[1])


def measure(count: int, seed: int) -> Readings:
    """So many readings of stations in turn by chance; the same for the same seed."""
    chance = np.random.default_rng(seed)
    station = chance.integers(0, STATIONS, count)
    hour, pressure = chance.uniform(0, 24, count), chance.normal(1013, 8, count)
    humidity = np.clip(chance.normal(0.6, 0.15, count), 0.1, 1.0)
    truth = _HABITS.copy()
    truth[:, 0] = _LEVELS
    logarithm = features(station, hour, pressure, humidity) @ truth.reshape(-1) + chance.normal(0, NOISE, count)
    return Readings(station, hour, pressure, humidity, np.exp(logarithm))
