"""What a rater model said of a response."""

from __future__ import annotations

from pipeline.records.base import NonBlank, Record


class ModelRating(Record):
    """One number that `model` gave one aspect of a response, asked as `rater` asks.

    The scale is the rater's: 1 to 3 for the whole, 1 to 10 for an aspect. `excluded` says why the
    number enters no feature and no metric; None: it does.
    """

    response_id: NonBlank
    rater: NonBlank
    model: NonBlank
    aspect: NonBlank
    value: int
    excluded: str | None = None
