"""Words for a coefficient, always with whose words they are."""

from __future__ import annotations

from typing import Literal

BandName = Literal["cicchetti", "koo_li"]

# Lower ends of the bands, best first.
_BANDS: dict[BandName, tuple[tuple[float, str], ...]] = {
    "cicchetti": ((0.75, "excellent"), (0.60, "good"), (0.40, "fair")),
    "koo_li": ((0.90, "excellent"), (0.75, "good"), (0.50, "moderate")),
}
SOURCES: dict[BandName, str] = {
    "cicchetti": "Cicchetti, Psychological Assessment 6 (1994)",
    "koo_li": "Koo and Li, Journal of Chiropractic Medicine 15 (2016)",
}


def band(value: float | None, name: BandName) -> str | None:
    """Return the band that `value` falls in, None for an undefined coefficient."""
    if value is None:
        return None
    return next((word for lower, word in _BANDS[name] if value >= lower), "poor")
