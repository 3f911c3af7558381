"""Numbers that callers pass, checked: one sentence for each value that is not a number, or is out of range."""

from __future__ import annotations

from inpaint_core.errors import InpaintError

SEEDS = -(2**63), 2**63 - 1
"""The least and the largest seed: signed integers of 64 bits."""


def as_seed(seed: object) -> int:
    """The seed of random numbers as an integer of 64 bits; anything else is an `InpaintError`."""
    return as_whole(seed, "The seed", *SEEDS)


def as_whole(value: object, what: str, least: int, most: int) -> int:
    """A whole number from `least` to `most`, given as int, float or text.

    Raises:
        InpaintError: not a number, NaN, infinite, fractional or out of range; `what` begins the sentence.
    """
    try:
        number = int(value)  # type: ignore[call-overload]
        exact = isinstance(value, int | str) or float(number) == float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        exact = False
    if not exact or not least <= number <= most:
        raise InpaintError(f"{what} must be a whole number from {least} to {most}, not {str(value)[:40]}.")
    return number


def as_number(value: object, what: str, least: float, most: float) -> float:
    """A number from `least` to `most`, given as int, float or text.

    Raises:
        InpaintError: not a number, NaN, infinite or out of range; `what` begins the sentence.
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not least <= number <= most:
        raise InpaintError(f"{what} must be a number from {least:g} to {most:g}, not {str(value)[:40]}.")
    return number
