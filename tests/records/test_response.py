"""What a response refuses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.records import Response
from tests.examples import response


@pytest.mark.parametrize("rating", [0, 4, -1])
def test_refuses_a_rating_outside_one_to_three(rating: int) -> None:
    with pytest.raises(ValidationError, match="rating"):
        response("human", rating)


@pytest.mark.parametrize("rater", ["A1B2C3D4E5", "a0001", "r0001", "r-A1B2C3D4E5F6", "worker 12"])
def test_refuses_a_rater_that_is_no_pseudonym(rater: str) -> None:
    values = response("human", 3).model_dump() | {"rater": rater}

    with pytest.raises(ValidationError, match="rater"):
        Response.model_validate(values)
