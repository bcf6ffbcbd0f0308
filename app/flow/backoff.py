"""Computes the next time to try again. Attempts and due times are columns of the work tables."""

import random
from datetime import timedelta


def backoff(attempts: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Doubles from `first` to `longest` with each of `attempts` (from 1), and spreads by half around it."""
    doubled = first * float(2 ** min(attempts - 1, 20))
    return min(doubled, longest) * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing
